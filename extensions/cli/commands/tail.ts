import { formatJsonLine, formatPrettyLine } from "../../../runtime/log/log_line.ts";
import { isWanted, type LogLevel, type LogRecord } from "../../../runtime/log/log.ts";
import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import type { LogNews } from "../../control/log_tail.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { shortId } from "../view/instance_table.ts";
import type { ConfigFlags } from "./config.ts";
import { beginMessaging } from "./messaging.ts";
import { nobodyText } from "./ps.ts";

/** Flags of `tail`. */
export interface TailFlags extends ConfigFlags {
  readonly trace?: string;
  readonly level?: LogLevel;
  readonly json?: boolean;
}

/** Milliseconds without an answer after which the user hears that nobody answers. */
const PATIENCE = 2_000;

/** Prints the log of the processes that serve, until the user stops it. */
export async function tailCommand(
  service: string | undefined,
  { broker, trace, level = "info", json = false, ...setup }: TailFlags,
  io: CommandIo,
): Promise<number> {
  const stop = new AbortController();
  const { signal } = stop;
  using _signals = io.onStop(() => stop.abort());
  const config = await beginMessaging(setup, io);
  const { openControl } = await import("../../control_connection.ts");
  const { tailLog } = await import("../../control/log_tail.ts");
  let lonely: ReturnType<typeof setTimeout> | undefined;
  try {
    await using control = await openControl({ config, signal, ...(broker !== undefined && { broker }) });
    const say = (text: string) => io.writeMessage(`${escapeControls(text)}\n`);
    lonely = setTimeout(
      () => say(`${nobodyText(service, control.transport.broker)}. Waiting for one; press Ctrl-C to stop`),
      PATIENCE,
    );
    const following = tailLog(control.client, {
      level,
      signal,
      ...(service !== undefined && { services: [service] }),
      ...(trace !== undefined && { trace }),
    });
    for await (const news of following) {
      clearTimeout(lonely);
      for (const remark of remarksOn(news, level)) say(`${shortId(news.instance)}: ${remark}`);
      for (const record of news.records) io.writeResult(`${lineOf(record, news.instance, json, io)}\n`);
    }
    return EXIT.fine;
  } catch (error) {
    if (signal.aborted) return EXIT.fine;
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  } finally {
    clearTimeout(lonely);
  }
}

/** Says what the lines alone do not show. */
function* remarksOn({ error, begins, left }: LogNews, level: LogLevel): Iterable<string> {
  if (error !== undefined) yield error;
  if (begins !== undefined) {
    yield begins.raised || isWanted(level, begins.shown)
      ? "following its log"
      : `following its log, which begins at level ${begins.shown}. Records of level ${level} come only with ` +
        "control: { manage: true } in its configuration";
  }
  if (left > 0) yield `left out ${left} records, because it logs too much in a second`;
}

function lineOf(record: LogRecord, instance: string, json: boolean, { screen }: CommandIo): string {
  if (json) return `{"instance":${JSON.stringify(instance)},${formatJsonLine(record).slice(1)}`;
  return `${shortId(instance)} ${formatPrettyLine(record, screen?.colors ?? false)}`;
}
