import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import { UnknownServiceError } from "../../../runtime/message/errors.ts";
import { encodeBigintJson } from "../../../runtime/message/payload/exact_json.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type CallTarget, parseCallArguments, remarksOnJson } from "../flags/call_arguments.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { explainCallFailure } from "./call_failure.ts";
import { beginMessaging } from "./messaging.ts";

/** Flags of `call`. */
export interface CallFlags extends ConfigFlags {
  /** Seconds to wait for the answer. */
  readonly timeout?: number;
  readonly header?: FieldTable;
  readonly logLevel?: string;
}

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
    const result = await cluster.method(service, method).with({ bigints: true }).kwargs(named, ...positional)
      .catch(async (error) => {
        throw await explainCallFailure(error, cluster, { service, method });
      });
    io.writeResult(`${escapeControls(printed(result))}\n`);
    return EXIT.fine;
  } catch (error) {
    const { status, text } = reportFailure(error);
    io.writeMessage(error instanceof UnknownServiceError ? `${text}. Asked ${asked}\n` : `${text}\n`);
    return status;
  }
}

/** Writes JSON for a reader who is to see every digit, and a number that JSON does not have as a text. */
function printed(result: unknown): string {
  try {
    return encodeBigintJson(result);
  } catch {
    const shown = (_key: string, value: unknown) =>
      typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))
        ? String(value)
        : value;
    return String(JSON.stringify(result, shown));
  }
}
