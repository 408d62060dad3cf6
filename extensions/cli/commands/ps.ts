import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT } from "../view/failure_report.ts";
import { instanceColumns, instanceRows } from "../view/instance_table.ts";
import { formatRows } from "../view/table.ts";
import { beginMessaging } from "./messaging.ts";

/** Flags of `ps`. */
export interface PsFlags extends ConfigFlags {
  readonly json?: boolean;
  /** Seconds to wait for answers. */
  readonly timeout?: number;
}

/** Prints the services that run, with the processes that serve them. */
export async function psCommand(
  service: string | undefined,
  { broker, json, timeout, ...setup }: PsFlags,
  io: CommandIo,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const { openControl } = await import("../../control_connection.ts");
  const { liveInstances } = await import("../../control/live.ts");
  await using control = await openControl({ config, ...(broker !== undefined && { broker }) });
  const instances = await liveInstances(control.client, {
    ...(service !== undefined && { services: [service] }),
    ...(timeout !== undefined && { timeout: timeout * 1_000 }),
  });
  const rows = instanceRows(instances, service);
  if (json) io.writeResult(`${escapeControlsInLines(JSON.stringify(rows, null, 2))}\n`);
  else if (rows.length === 0) io.writeMessage(`${nobodyText(service, control.transport.broker)}\n`);
  else {
    const { screen } = io;
    io.writeResult(formatRows(rows, instanceColumns(rows), {
      ...(screen && { width: screen.size().columns }),
      ...(screen?.colors && { mark: (titles) => `\x1b[1m${titles}\x1b[0m` }),
    }));
    for (const { host, pid, failure } of rows) {
      if (failure !== undefined) io.writeMessage(`${escapeControls(`${host} ${pid}: ${failure}`)}\n`);
    }
  }
  return EXIT.fine;
}

/** Says that no process answers, and which ones cannot. */
export function nobodyText(service: string | undefined, broker: string): string {
  const what = service === undefined ? "No process" : `No process that serves "${service}"`;
  return escapeControls(
    `${what} answers at ${broker}. One with control: false, or at another broker or in another vhost, does not show`,
  );
}
