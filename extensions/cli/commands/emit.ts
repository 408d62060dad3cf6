import type { FieldTable } from "../../../runtime/message/transport.ts";
import { parseValue } from "../flags/call_arguments.ts";
import type { CommandIo } from "../command_io.ts";
import type { DispatchEvent } from "../../../runtime/cli/composition.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { beginMessaging, CONFIRM_TIMEOUT } from "./messaging.ts";

/** Flags of `emit`. */
export interface EmitFlags extends ConfigFlags {
  readonly header?: FieldTable;
  readonly mandatory?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly logLevel?: string;
}

/** Dispatches an event in the name of a service; says nothing when the broker has it. */
export async function emitCommand(
  source: string,
  type: string,
  payload: string | undefined,
  { broker, header = {}, mandatory = false, timeout = CONFIRM_TIMEOUT, ...setup }: EmitFlags,
  io: CommandIo,
  loadEmit: () => Promise<DispatchEvent>,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const emit = await loadEmit();
  try {
    await emit({
      source,
      type,
      payload: payload === undefined ? null : parseValue(payload),
      headers: header,
      mandatory,
      timeout: timeout * 1_000,
    }, { config, ...(broker !== undefined && { broker }) });
    return EXIT.fine;
  } catch (error) {
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}
