import { UnroutableError } from "../../../runtime/message/errors.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { parseValue, remarksOnJson } from "../flags/call_arguments.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { beginMessaging, CONFIRM_TIMEOUT } from "./messaging.ts";

/** Flags of `emit`. */
export interface EmitFlags extends ConfigFlags {
  readonly header?: FieldTable;
  readonly mandatory?: boolean;
  /** Seconds to wait for the broker's confirm. */
  readonly timeout?: number;
  readonly logLevel?: string;
}

/**
 * Dispatches an event in the name of a service.
 *
 * It prints nothing when a queue has the event. If no queue takes an event that is not mandatory, it says so, and that
 * is no failure.
 */
export async function emitCommand(
  source: string,
  type: string,
  payload: string | undefined,
  { broker, header: headers = {}, mandatory = false, timeout = CONFIRM_TIMEOUT, ...setup }: EmitFlags,
  io: CommandIo,
): Promise<number> {
  for (const remark of remarksOnJson(payload === undefined ? [] : [payload])) {
    io.writeMessage(`${remark.replace("Argument 1", "The payload")}\n`);
  }
  const config = await beginMessaging(setup, io);
  const { connect } = await import("../../connect.ts");
  const { confirmWithin } = await import("../../broker.ts");
  try {
    await using cluster = await connect({ config, ...(broker !== undefined && { broker }) });
    await confirmWithin(
      timeout * 1_000,
      `dispatch event "${type}" of "${source}"`,
      (signal) =>
        cluster.dispatch(source, type, payload === undefined ? null : parseValue(payload), {
          headers,
          mandatory: true,
          signal,
        }),
    );
    return EXIT.fine;
  } catch (error) {
    if (error instanceof UnroutableError && !mandatory) {
      io.writeMessage(`No queue is bound to ${source}.events with "${type}": nobody will see the event\n`);
      return EXIT.fine;
    }
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}
