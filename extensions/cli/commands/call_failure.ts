import { BadRequestError, CallTimeoutError } from "../../../runtime/message/errors.ts";
import { isRecord, isTexts } from "../../../runtime/message/plain.ts";
import { within } from "../../../runtime/waiting/abort.ts";
import type { Connection } from "../../connect.ts";
import type { CallTarget } from "../flags/call_arguments.ts";

/** Milliseconds that the broker may take to say why no answer has come. */
const PATIENCE = 2_000;

/** Returns the error that tells the user most about a call that has failed, which may be the same error. */
export async function explainCallFailure(
  error: unknown,
  cluster: Connection,
  { service, method }: CallTarget,
): Promise<unknown> {
  if (error instanceof CallTimeoutError && await isDeserted(cluster, service)) {
    return new CallTimeoutError(
      `Cannot call "${service}.${method}": queue "rpc-${service}" exists, and nobody consumes it. Start the service`,
    );
  }
  return inWordsOfCaller(error, `${service}.${method}`);
}

/** Says whether a service has a queue that nobody consumes, as far as the broker tells it in time. */
async function isDeserted(cluster: Connection, service: string): Promise<boolean> {
  let served: boolean | undefined;
  const asked = cluster.isServed(service).then((answer) => void (served = answer)).catch(() => {});
  await within(PATIENCE, asked);
  return served === false;
}

/** Counts arguments as the user does. The service's own text counts as Python does, with `self`. */
function inWordsOfCaller(error: unknown, target: string): unknown {
  if (!(error instanceof BadRequestError) || !isRecord(error.data)) return error;
  const { takes, given } = error.data;
  if (!isTexts(takes) || typeof given !== "number") return error;
  const least = takes.filter((name) => !name.endsWith("?")).length;
  const range = least === takes.length ? String(least) : `${least} to ${takes.length}`;
  const names = takes.length === 0 ? "" : ` (${takes.join(", ")})`;
  const plural = takes.length === 1 ? "" : "s";
  return new BadRequestError(`${target} takes ${range} argument${plural}${names}, got ${given}`);
}
