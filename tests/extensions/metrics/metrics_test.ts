import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection, type Running } from "../../../extensions/run.ts";
import { configureLogging, resetLogging } from "../../../runtime/log/observe.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { type Family, parsePrometheus, valueOf } from "../../fixtures/prometheus_parser.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";

const service = "enoki_test_measuring";

interface Stage {
  readonly running: Running;
  readonly cluster: Connection;
  page(): Promise<ReadonlyMap<string, Family>>;
  /** Resolves with the first page on which a series has a value. */
  until(name: string, labels: Readonly<Record<string, string>>, value: number): Promise<
    ReadonlyMap<string, Family>
  >;
}

async function withService(
  use: (stage: Stage) => Promise<void>,
  threads = 1,
  config: PlainRecord = {},
): Promise<void> {
  const lines: string[] = [];
  configureLogging({ write: (line) => lines.push(line) });
  try {
    const broker = new MemoryBroker();
    const port = freePort();
    await using running = await serveInMemory(broker, ["measuring.ts"], {
      config: { HEALTH_ADDRESS: `127.0.0.1:${port}`, max_workers: threads, min_workers: threads, ...config },
    });
    await using cluster = await connect({ broker: memory({ broker }) });
    const page = async () => parsePrometheus(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    const until: Stage["until"] = async (name, labels, value) => {
      for (;;) {
        const read = await page();
        if (valueOf(read, name, { service, ...labels }) === value) return read;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await use({ running, cluster, page, until });
  } finally {
    resetLogging();
  }
}

Deno.test("metrics() counts once for all threads of a service, under its name", () =>
  withService(async ({ cluster, until }) => {
    const { order } = cluster.client(service);
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => order!(index % 4 === 0 ? "visa" : "cash", index)),
    );
    await until("orders_placed_total", { card: "cash" }, 30);
    strictEqual(
      (await until("orders_placed_total", { card: "visa" }, 10)).get("orders_placed_total")!.help,
      "Orders.",
    );
    await until("order_items_count", {}, 40);
    const read = await until("open_orders", {}, 40);
    strictEqual(valueOf(read, "order_items_sum", { service }), 780);
    strictEqual(valueOf(read, "order_items_bucket", { service, le: "10" }), 11);
    ok(valueOf(read, "latest_order_items", { service })! < 40);
  }, 3));

Deno.test("metrics() tells the handler what is wrong", () =>
  withService(async ({ cluster }) => {
    const { misuse } = cluster.client(service);
    const expected = [
      /^TypeError: Cannot make the gauge "misused_total": the service has a counter of that name/,
      /^TypeError: Cannot make the counter "misused_total": .* with the labels \[card\]/,
      /^TypeError: Cannot use "misused_total": its label "card" has no value/,
      /^TypeError: Cannot use "misused_total": it has no label "more"/,
      /^RangeError: Cannot count -1 in "misused_total": a counter only grows/,
      /^RangeError: Cannot count NaN in "misused_total"/,
      /^TypeError: Cannot make the counter "no name": its name is no name/,
      /^TypeError: Cannot make the counter "enoki_own_total": names that begin with enoki_/,
      /^TypeError: Cannot make the counter "a_total": its label "service" has a meaning already/,
      /^TypeError: Cannot make the counter "a_total": its label "x y" is no name/,
      /^TypeError: Cannot make the histogram "a_seconds": its buckets do not ascend/,
    ];
    const errors = await misuse!() as readonly string[];
    strictEqual(errors.length, expected.length);
    for (const [index, error] of errors.entries()) match(error, expected[index]!);
  }));

Deno.test("metrics() bounds names, series and labels, and loses no value", () =>
  withService(async ({ cluster, until }) => {
    match(
      String(await cluster.client(service).flood!()),
      /^100: TypeError: Cannot make the counter "many_97_total": the service has 100 metrics already/,
    );
    const read = await until("many_values_count", {}, 25_000);
    const wide = read.get("wide_total")!.samples;
    strictEqual(wide.length, 1_001);
    strictEqual(wide.reduce((sum, { value }) => sum + value, 0), 3_000);
    deepStrictEqual(read.get("long_label_total")!.samples.map(({ labels }) => labels["x"]!.length), [200]);
  }));

Deno.test("metrics() tells a handler that another service has the name for another kind", () =>
  withService(async ({ cluster, until }) => {
    await cluster.client("enoki_test_taking").take!();
    await until("taken", { service: "enoki_test_taking" }, 7);
    const { use } = cluster.client(service);
    let told = String(await use!());
    while (told === "fine") told = String(await use!());
    match(told, /^TypeError: Cannot use the counter "taken": .* there is a gauge of that name/);
  }));

Deno.test("a thread that ends politely has told all of its numbers, and one that is lost has told no wrong ones", () =>
  withService(async ({ running, cluster, page, until }) => {
    const { order, die } = cluster.client(service);
    await order!("visa", 1);
    await running.reload();
    const read = await until("orders_placed_total", { card: "visa" }, 1);
    strictEqual(valueOf(read, "lost_total", { service }), undefined);
    await die!().catch(() => {});
    await order!("visa", 1);
    await until("orders_placed_total", { card: "visa" }, 2);
    strictEqual(valueOf(await page(), "enoki_threads_lost_total", { service, reason: "exit" }), 1);
  }));

Deno.test("a thread that is renewed is counted, and no number of it is lost", () =>
  withService(
    async ({ cluster, page, until }) => {
      const { order } = cluster.client(service);
      const renewed = async () =>
        Number(valueOf(await page(), "enoki_threads_renewed_total", { service, reason: "calls" }));
      let orders = 0;
      for (; await renewed() === 0; orders++) await order!("visa", 1);
      await until("orders_placed_total", { card: "visa" }, orders);
    },
    1,
    { max_calls: 5 },
  ));
