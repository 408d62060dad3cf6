import { UnknownServiceError } from "../../../runtime/message/errors.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type CallTarget, parseCallArguments } from "../flags/call_arguments.ts";
import type { CommandIo } from "../command_io.ts";
import type { MakeCall } from "../../../runtime/cli/composition.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { beginMessaging } from "./messaging.ts";

/** Flags of `call`. */
export interface CallFlags extends ConfigFlags {
  /** Seconds. */
  readonly timeout?: number;
  readonly header?: FieldTable;
  readonly logLevel?: string;
}

/** Calls a method and prints its result as JSON. */
export async function callCommand(
  target: CallTarget,
  words: readonly string[],
  { broker, timeout, header = {}, ...setup }: CallFlags,
  io: CommandIo,
  loadCall: () => Promise<MakeCall>,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const call = await loadCall();
  let asked = "";
  try {
    const result = await call({
      ...target,
      ...parseCallArguments(words),
      headers: header,
      ...(timeout !== undefined && { timeout: timeout * 1_000 }),
    }, {
      config,
      ...(broker !== undefined && { broker }),
      onConnected: (connected) => asked = connected,
    });
    io.writeResult(`${JSON.stringify(result)}\n`);
    return EXIT.fine;
  } catch (error) {
    const { status, text } = reportFailure(error);
    io.writeMessage(error instanceof UnknownServiceError ? `${text}. Asked ${asked}\n` : `${text}\n`);
    return status;
  }
}
