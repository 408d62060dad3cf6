import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { TraceCalls, TracedCall } from "../../control/traced_calls.ts";
import type { CommandIo } from "../command_io.ts";
import { formatDuration } from "../view/instance_table.ts";
import { EXIT } from "../view/failure_report.ts";
import { formatWaterfall, placeCalls } from "../view/waterfall.ts";
import { beginMessaging } from "./messaging.ts";
import { nobodyText, type PsFlags } from "./ps.ts";

/** Prints the calls of a trace as a waterfall. */
export async function traceCommand(
  trace: string,
  { broker, json, timeout, ...setup }: PsFlags,
  io: CommandIo,
): Promise<number> {
  const config = await beginMessaging(setup, io);
  const { openControl } = await import("../../control_connection.ts");
  const { traceCalls } = await import("../../control/traced_calls.ts");
  await using control = await openControl({ config, ...(broker !== undefined && { broker }) });
  const found = await traceCalls(control.client, trace, {
    ...(timeout !== undefined && { timeout: timeout * 1_000 }),
  });
  const ids = [...new Set(found.calls.map((call) => call.trace))];
  if (ids.length > 1) {
    io.writeMessage(
      `Cannot show trace ${trace}: ${ids.length} traces begin so. Name one of ${namesOf(ids)}\n`,
    );
    return EXIT.usage;
  }
  if (json) io.writeResult(`${escapeControlsInLines(JSON.stringify(found.calls, null, 2))}\n`);
  else if (ids.length === 0) io.writeMessage(`${missingText(trace, found, control.transport.broker)}\n`);
  else io.writeResult(pageOf(ids[0]!, found, io));
  return EXIT.fine;
}

/** Ids that a message names at most. */
const NAMED_TRACES = 5;

function namesOf(ids: readonly string[]): string {
  return ids.slice(0, NAMED_TRACES).join(", ") + (ids.length > NAMED_TRACES ? ", …" : "");
}

function pageOf(trace: string, { calls, left }: TraceCalls, { screen }: CommandIo): string {
  const placed = placeCalls(calls);
  const end = Math.max(...placed.map(({ start, call }) => start + call.took));
  const number = (what: (call: TracedCall) => string, one: string, more: string) => {
    const { size } = new Set(calls.map(what));
    return `${size} ${size === 1 ? one : more}`;
  };
  const title = `trace ${trace}: ${calls.length} ${calls.length === 1 ? "call" : "calls"} of ${
    number(({ service }) => service, "service", "services")
  } in ${number(({ instance }) => instance, "process", "processes")}, ${formatDuration(end)}\n`;
  const table = formatWaterfall(placed, {
    ...(screen && { width: screen.size().columns }),
    ...(screen?.colors && {
      mark: (titles) => `\x1b[1m${titles}\x1b[0m`,
      markFailed: (line) => `\x1b[31m${line}\x1b[0m`,
    }),
  });
  const rest = left === 0 ? "" : `Left out ${left} calls: the trace is too long\n`;
  return `${title}${table}${rest}`;
}

/** Says why a trace may not be found. */
function missingText(trace: string, { instances, silent }: TraceCalls, broker: string): string {
  if (instances === 0) return nobodyText(undefined, broker);
  const asked = instances === 1
    ? "The process that answers has"
    : `The ${instances} processes that answer have`;
  const off = silent === 0
    ? ""
    : ` ${silent} of them ${silent === 1 ? "remembers" : "remember"} none (telemetry: false).`;
  return escapeControls(
    `${asked} no call of trace ${trace}.${off} A process remembers the calls that ended last ` +
      "(telemetry: { recent_calls }, 10,000), and forgets them when it ends",
  );
}
