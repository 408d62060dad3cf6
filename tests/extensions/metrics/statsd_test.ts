/** What a StatsD server gets, on a socket that is one. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { StatsdReporter } from "../../../extensions/metrics/statsd/reporter.ts";
import { type StatsdSettings, statsdSettings } from "../../../extensions/metrics/statsd/settings.ts";
import { connect } from "../../../extensions/run.ts";
import { Section } from "../../../runtime/config/section.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

/** A StatsD server: the datagrams that came. */
class Receiver implements AsyncDisposable {
  readonly datagrams: string[] = [];
  readonly #socket = createSocket("udp4");
  #heard = Promise.withResolvers<void>();

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    const socket = receiver.#socket;
    socket.on("message", (message) => {
      receiver.datagrams.push(message.toString());
      receiver.#heard.resolve();
    });
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return receiver;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get lines(): readonly string[] {
    return this.datagrams.flatMap((text) => text.trim().split("\n"));
  }

  /** Resolves when the lines fit. */
  async until(fits: (lines: readonly string[]) => boolean): Promise<void> {
    while (!fits(this.lines)) {
      await this.#heard.promise;
      this.#heard = Promise.withResolvers();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

function read(STATSD: PlainRecord): readonly StatsdSettings[] {
  return statsdSettings(new Section({ STATSD }));
}

function settings(port: number, others: Partial<StatsdSettings> = {}): StatsdSettings {
  return { ...read({ host: "127.0.0.1", port, interval: 60 })[0]!, ...others };
}

const LOG = createLog({ emit: () => {} });

Deno.test("StatsdReporter tells growth of counters, gauges as they are, and durations in milliseconds", async () => {
  await using receiver = await Receiver.open();
  const metrics = new Metrics();
  const shots = metrics.counter("shots_total", { help: "Shots.", labels: ["by", "at"] });
  shots.with("a.b", "/x/:id").add(3);
  metrics.gauge("height", { help: "Height." }).with().set(-2);
  const times = metrics.histogram("time_seconds", { help: "Time.", unit: "seconds" }).with();
  {
    await using _reporter = new StatsdReporter(metrics, settings(receiver.port, { prefix: "shop" }), LOG);
    times.record(0.25);
  }
  await receiver.until((lines) => lines.length === 4);
  deepStrictEqual(receiver.lines.toSorted(), [
    "shop.height:-2|g",
    "shop.height:0|g",
    "shop.shots_total.a_b.x__id:3|c",
    "shop.time:250|ms",
  ]);
});

Deno.test("StatsdReporter tells a counter's growth once, each interval", async () => {
  await using receiver = await Receiver.open();
  const metrics = new Metrics();
  const shots = metrics.counter("shots_total", { help: "Shots." }).with();
  await using _reporter = new StatsdReporter(metrics, settings(receiver.port, { interval: 100 }), LOG);
  for (let shot = 1; shot <= 3; shot++) {
    shots.add(shot);
    await receiver.until((lines) => lines.includes(`shots_total:${shot}|c`));
  }
  deepStrictEqual(receiver.lines, ["shots_total:1|c", "shots_total:2|c", "shots_total:3|c"]);
});

Deno.test("StatsdReporter gives labels as tags where it is told to", async () => {
  await using receiver = await Receiver.open();
  const metrics = new Metrics();
  metrics.counter("shots_total", { help: "Shots.", labels: ["by"] }).with("a|b,c").add();
  {
    await using _reporter = new StatsdReporter(metrics, settings(receiver.port, { tags: true }), LOG);
  }
  await receiver.until((lines) => lines.length === 1);
  deepStrictEqual(receiver.lines, ["shots_total:1|c|#by:a_b_c"]);
});

Deno.test("StatsdReporter samples many values, and keeps to the size of a datagram", async () => {
  await using receiver = await Receiver.open();
  const metrics = new Metrics();
  const sizes = metrics.histogram("size", { help: "Size." }).with();
  {
    await using _reporter = new StatsdReporter(metrics, settings(receiver.port, { maxDatagram: 300 }), LOG);
    for (let value = 0; value < 20_000; value++) sizes.record(value);
  }
  metrics.counter("last_total", { help: "Last." }).with().add();
  {
    await using _last = new StatsdReporter(metrics, settings(receiver.port), LOG);
  }
  await receiver.until((lines) => lines.includes("last_total:1|c"));
  const lines = receiver.lines.filter((line) => line.startsWith("size:"));
  ok(lines.length >= 100 && lines.length < 1_500, `${lines.length} lines`);
  const estimate = lines.reduce((sum, line) => sum + 1 / Number(/@(.+)$/.exec(line)?.[1] ?? 1), 0);
  ok(estimate > 10_000 && estimate < 40_000, `${estimate} values`);
  ok(receiver.datagrams.every(({ length }) => length <= 300));
});

Deno.test("StatsdReporter speaks TCP, too", async () => {
  const got = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    let text = "";
    socket.on("data", (data) => {
      text += data;
      if (text.includes("\n")) got.resolve(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  const metrics = new Metrics();
  metrics.counter("shots_total", { help: "Shots." }).with().add();
  {
    await using _reporter = new StatsdReporter(metrics, settings(port, { protocol: "tcp" }), LOG);
  }
  strictEqual(await got.promise, "shots_total:1|c\n");
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("StatsdReporter ends where nobody listens, and says why it failed", async () => {
  const records: string[] = [];
  const log = createLog({ emit: ({ message }) => records.push(message) });
  const metrics = new Metrics();
  metrics.counter("shots_total", { help: "Shots." }).with().add();
  const port = freePort();
  await new StatsdReporter(metrics, settings(port, { protocol: "tcp" }), log)[Symbol.asyncDispose]();
  match(records.join("\n"), new RegExp(`^Cannot report to StatsD at 127\\.0\\.0\\.1:${port}: .*$`));
});

Deno.test("STATSD reports what a service counts, to the end", async () => {
  await using receiver = await Receiver.open();
  const broker = new MemoryBroker();
  const STATSD = { host: "127.0.0.1", port: receiver.port, prefix: "shop", interval: 60 };
  await using running = await serveInMemory(broker, ["measuring.ts"], { config: { STATSD } });
  await using cluster = await connect({ broker: memory({ broker }) });
  await cluster.client("enoki_test_measuring").order!("visa", 3);
  await running.shutdown();
  const expected = [
    "shop.enoki_calls_total.enoki_test_measuring.order.rpc.ok:1|c",
    "shop.orders_placed_total.enoki_test_measuring.visa:1|c",
  ];
  await receiver.until((lines) => expected.every((line) => lines.includes(line)));
});

Deno.test("statsdSettings() reads one server, or servers by name as nameko-statsd has them", () => {
  const defaults = {
    prefix: undefined,
    protocol: "udp",
    ipv6: false,
    maxDatagram: 512,
    interval: 10_000,
    tags: false,
  };
  deepStrictEqual(read({}), [{ ...defaults, host: "localhost", port: 8125 }]);
  deepStrictEqual(
    read({
      prod1: { enabled: true, protocol: "UDP", host: "host1", port: 8126, prefix: "one", maxudpsize: 1_400 },
      prod2: { enabled: false, protocol: "tcp", host: "host2" },
      prod3: { protocol: "tcp", host: "host3", interval: 0.5, tags: true, ipv6: true },
    }),
    [
      { ...defaults, host: "host1", port: 8126, prefix: "one", maxDatagram: 1_400 },
      { ...defaults, host: "host3", port: 8125, protocol: "tcp", interval: 500, tags: true, ipv6: true },
    ],
  );
});

Deno.test("statsdSettings() refuses what is no server", async () => {
  for (
    const [server, message] of [
      [{ port: 70_000 }, /"STATSD\.port".*a port, up to 65535/],
      [{ protocol: "unix" }, /"STATSD\.protocol".*udp or tcp/],
      [{ interval: 0 }, /"STATSD\.interval".*0\.1 or more/],
      [{ maxudpsize: 10 }, /"STATSD\.maxudpsize"/],
      [{ hots: "x" }, /"STATSD\.hots".*the keys here are enabled, port/],
      [{ prod: { hots: "x" } }, /"STATSD\.prod\.hots"/],
    ] as const
  ) {
    await rejects(async () => await read(server), { name: "ConfigurationError", message });
  }
});
