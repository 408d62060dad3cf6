import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import { pause } from "../../../runtime/waiting/abort.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import type { ControlClient } from "../../control/control_client.ts";
import type { CommandIo, Screen } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { instanceColumns, type InstanceRow, instanceRows } from "../view/instance_table.ts";
import { formatRows } from "../view/table.ts";
import { beginMessaging } from "./messaging.ts";
import { nobodyText } from "./ps.ts";

/** Milliseconds between two looks. */
const INTERVAL = 1_000;

/** The keys that sort, with what they sort by. Numbers begin with the largest. */
const ORDERS: Readonly<
  Record<string, { readonly name: string; readonly value: (row: InstanceRow) => number | string }>
> = {
  s: { name: "service", value: ({ service }) => service },
  h: { name: "host", value: ({ host }) => host },
  u: { name: "uptime", value: ({ uptime }) => uptime },
  b: { name: "busy threads", value: ({ threads }) => threads.busy },
  r: { name: "running calls", value: ({ inFlight }) => inFlight },
  w: { name: "waiting calls", value: ({ waiting }) => waiting },
  c: { name: "calls in a second", value: ({ rates }) => rates?.calls ?? 0 },
  e: { name: "errors in a second", value: ({ rates }) => rates?.errors ?? 0 },
  p: { name: "p99", value: ({ rates }) => rates?.p99 ?? 0 },
};

/** Shows the services that run on the whole terminal, each second anew, until the user quits. */
export async function topCommand(
  service: string | undefined,
  { broker, ...setup }: ConfigFlags,
  io: CommandIo,
): Promise<number> {
  const stop = new AbortController();
  let draw = () => {};
  let order = ORDERS["s"]!;
  const { screen } = io;
  using _signals = io.onStop(() => stop.abort());
  using keys = screen?.onKeys((typed) => {
    for (const key of typed) {
      if (key === "q") return stop.abort();
      if (Object.hasOwn(ORDERS, key)) order = ORDERS[key]!;
    }
    draw();
  });
  if (screen === undefined || keys === undefined) {
    io.writeMessage("Cannot show top: this is not a terminal. Use ps, also with --json\n");
    return EXIT.usage;
  }
  const config = await beginMessaging({ ...setup, logLevel: "error" }, io);
  const { openControl } = await import("../../control_connection.ts");
  const { signal } = stop;
  try {
    await using control = await openControl({ config, signal, ...(broker !== undefined && { broker }) });
    using drawing = new Drawing(screen, io.writeResult);
    let rows: readonly InstanceRow[] = [];
    let problem: string | undefined;
    draw = () => {
      const title = `${control.transport.broker}: ${countText(rows)}, by ${order.name}`;
      const nobody = problem ??
        (rows.length === 0 ? nobodyText(service, control.transport.broker) : undefined);
      drawing.show(title, nobody, rows.toSorted(by(order.value)));
    };
    while (!signal.aborted) {
      const next = pause(INTERVAL, signal).catch(() => {});
      const looked = await look(control.client, service, signal);
      if (signal.aborted) break;
      problem = looked.problem;
      rows = looked.rows ?? rows;
      draw();
      await next;
    }
    return EXIT.fine;
  } catch (error) {
    if (signal.aborted) return EXIT.fine;
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}

/** Asks once. A broker that is away for a while is a problem to show, and no end. */
async function look(
  client: ControlClient,
  service: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly rows?: readonly InstanceRow[]; readonly problem?: string }> {
  const { liveInstances } = await import("../../control/live.ts");
  try {
    const instances = await liveInstances(client, {
      signal,
      ...(service !== undefined && { services: [service] }),
    });
    return { rows: instanceRows(instances, service) };
  } catch (error) {
    if (!signal.aborted && !(error instanceof BrokerError)) throw error;
    return { problem: reportFailure(error).text };
  }
}

function by(value: (row: InstanceRow) => number | string): (a: InstanceRow, b: InstanceRow) => number {
  return (a, b) => {
    const [left, right] = [value(a), value(b)];
    if (typeof left === "number") return Number(right) - left;
    return left < right ? -1 : left > right ? 1 : 0;
  };
}

function countText(rows: readonly InstanceRow[]): string {
  const count = (texts: readonly string[], one: string, more: string) => {
    const { size } = new Set(texts);
    return `${size} ${size === 1 ? one : more}`;
  };
  const services = count(rows.map(({ service }) => service), "service", "services");
  return `${services} in ${count(rows.map(({ instance }) => instance), "process", "processes")}`;
}

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const ERASE_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/** Draws on a second screen of the terminal. Disposing it brings the first one back. */
class Drawing implements Disposable {
  readonly #screen: Screen;
  readonly #write: (text: string) => void;

  constructor(screen: Screen, write: (text: string) => void) {
    this.#screen = screen;
    this.#write = write;
    write(ENTER);
  }

  /** Draws everything anew. A line that does not fit is cut, and so are the lines below the last one. */
  show(title: string, message: string | undefined, rows: readonly InstanceRow[]): void {
    const { columns, rows: height } = this.#screen.size();
    const mark = this.#screen.colors ? (titles: string) => `\x1b[7m${titles}\x1b[0m` : undefined;
    const table = formatRows(rows, instanceColumns(rows), { width: columns, ...(mark && { mark }) });
    const lines = [
      escapeControls(title).slice(0, columns),
      `sort: ${Object.keys(ORDERS).join(" ")}  quit: q`.slice(0, columns),
      ...(message === undefined ? [] : [escapeControls(message).slice(0, columns)]),
      "",
      ...table.trimEnd().split("\n"),
    ].slice(0, Math.max(1, height - 1));
    this.#write(`${HOME}${lines.map((line) => `${line}${ERASE_LINE}\n`).join("")}${ERASE_BELOW}`);
  }

  [Symbol.dispose](): void {
    this.#write(LEAVE);
  }
}
