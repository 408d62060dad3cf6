import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import { BadRequestError, CallTimeoutError, UnknownServiceError } from "../../../runtime/message/errors.ts";
import { isRecord, isTexts } from "../../../runtime/message/plain.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { within } from "../../../runtime/waiting/abort.ts";
import type { Connection } from "../../connect.ts";
import { type CallTarget, parseCallArguments, remarksOnJson } from "../flags/call_arguments.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { beginMessaging } from "./messaging.ts";

/** Flags of `call`. */
export interface CallFlags extends ConfigFlags {
  /** Seconds to wait for the answer. */
  readonly timeout?: number;
  readonly header?: FieldTable;
  readonly logLevel?: string;
}

/** Milliseconds that the broker may take to say why no answer has come. */
const PATIENCE = 2_000;

/** Calls a method and prints its result as JSON. */
export async function callCommand(
  { service, method }: CallTarget,
  words: readonly string[],
  { broker, timeout, header: headers = {}, ...setup }: CallFlags,
  io: CommandIo,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const { positional, named } = parseCallArguments(words);
  for (const remark of remarksOnJson(words)) io.writeMessage(`${remark}\n`);
  const { connect } = await import("../../connect.ts");
  let asked = "";
  try {
    await using cluster = await connect({
      config,
      headers,
      ...(broker !== undefined && { broker }),
      ...(timeout !== undefined && { timeout: timeout * 1_000 }),
    });
    asked = cluster.broker;
    const result = await cluster.method(service, method).kwargs(named, ...positional).catch(async (error) => {
      throw error instanceof CallTimeoutError && await isDeserted(cluster, service)
        ? new CallTimeoutError(
          `Cannot call "${service}.${method}": queue "rpc-${service}" exists, and nobody consumes it. Start the service`,
        )
        : error;
    });
    io.writeResult(`${escapeControls(String(JSON.stringify(result)))}\n`);
    return EXIT.fine;
  } catch (error) {
    const { status, text } = reportFailure(inWordsOfCaller(error, `${service}.${method}`));
    io.writeMessage(error instanceof UnknownServiceError ? `${text}. Asked ${asked}\n` : `${text}\n`);
    return status;
  }
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
