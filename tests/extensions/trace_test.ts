/** One trace is on every line of a request, wherever its calls run. */
import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, type Running, type RunOptions } from "../../extensions/run.ts";
import { configureLogging, resetLogging } from "../../runtime/log/observe.ts";
import type { payments } from "../fixtures/services/traced.ts";
import { serveInMemory } from "../fixtures/serve_in_memory.ts";

/** A line of the log in JSON. */
interface Line {
  readonly message: string;
  readonly service?: string;
  readonly trace?: string;
  readonly span?: string;
  readonly call?: string;
  readonly parent?: string;
  readonly parentSpan?: string;
  readonly method?: string;
  readonly request?: string;
  readonly kind?: string;
  readonly outcome?: string;
  readonly thread?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly waiting?: number;
}

interface Stage {
  readonly broker: MemoryBroker;
  readonly running: Running;
  readonly lines: Line[];
  /** Resolves with the first line whose message fits. */
  line(fits: RegExp): Promise<Line>;
}

async function withShop(
  use: (stage: Stage) => Promise<void>,
  config: RunOptions["config"] = {},
  level = "info",
): Promise<void> {
  const lines: Line[] = [];
  let heard = Promise.withResolvers<void>();
  configureLogging({
    level,
    format: "json",
    write(line) {
      lines.push(JSON.parse(line));
      heard.resolve();
      heard = Promise.withResolvers();
    },
  });
  const line = async (fits: RegExp): Promise<Line> => {
    for (;;) {
      const found = lines.find(({ message }) => fits.test(message));
      if (found !== undefined) return found;
      await heard.promise;
    }
  };
  try {
    const broker = new MemoryBroker();
    await using running = await serveInMemory(broker, ["traced.ts"], {
      config: { WEB_SERVER_ADDRESS: "127.0.0.1:0", ...config },
    });
    await use({ broker, running, lines, line });
  } finally {
    resetLogging();
  }
}

async function order({ running }: Stage, headers: HeadersInit = {}) {
  const response = await fetch(`${running.http}/orders`, { method: "POST", headers });
  return await response.json() as { readonly trace: string; readonly id: string };
}

Deno.test("the lines of a request, of its RPC call and of its event's attempts have one trace", () =>
  withShop(async (stage) => {
    const { trace, id } = await order(stage, { "x-request-id": "r-1" });
    const gaveUp = await stage.line(/^Gave up a message/);
    const told = [
      await stage.line(/^POST \/orders/),
      await stage.line(/^placing$/),
      await stage.line(/^charged$/),
      await stage.line(/attempt 2 of 2 in/),
      gaveUp,
      ...stage.lines.filter(({ message }) => /^greeting$/.test(message)),
      ...stage.lines.filter(({ message }) => /no stamps/.test(message)),
    ];
    ok(told.length >= 8);
    match(trace, /^[\da-f]{32}$/);
    deepStrictEqual([...new Set(told.map((line) => line.trace))], [trace]);
    const [request, placing, charged] = told;
    deepStrictEqual([request!.request, request!.method, request!.status], ["r-1", "POST", 200]);
    deepStrictEqual([placing!.call, placing!.request, placing!.method], [id, "r-1", "place"]);
    deepStrictEqual([charged!.parent, charged!.method], [id, "charge"]);
    notStrictEqual(charged!.call, id);
    match(String(gaveUp.call), /^enoki_test_mail\.greet\./);
  }));

Deno.test("a request continues the trace that its client names", () =>
  withShop(async (stage) => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { trace } = await order(stage, { traceparent });
    strictEqual(trace, "0af7651916cd43dd8448eb211c80319c");
    strictEqual((await stage.line(/^POST \/orders/)).trace, trace);
  }));

Deno.test("two requests have two traces", () =>
  withShop(async (stage) => {
    notStrictEqual((await order(stage)).trace, (await order(stage)).trace);
  }));

Deno.test("a caller outside any service may name the trace in its context data", () =>
  withShop(async ({ broker }) => {
    await using cluster = await connect({ broker: memory({ broker }) });
    const { charge } = cluster.client<typeof payments>("enoki_test_payments");
    const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    strictEqual(await charge.with({ headers })(1), "0af7651916cd43dd8448eb211c80319c");
  }));

Deno.test("telemetry: false names no trace, and continues one that is there", () =>
  withShop(async (stage) => {
    strictEqual((await order(stage)).trace, "no trace");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    strictEqual((await order(stage, { traceparent })).trace, "0af7651916cd43dd8448eb211c80319c");
  }, { telemetry: false }));

Deno.test("LOG_CALLS makes one line of each call that ends, with its times, thread and outcome", () =>
  withShop(async (stage) => {
    const { trace, id } = await order(stage);
    const place = await stage.line(/^http enoki_test_shop\.place ok, /);
    deepStrictEqual([place.trace, place.call, place.kind, place.outcome], [trace, id, "http", "ok"]);
    match(place.thread!, /^enoki_test_shop#1$/);
    ok(place.ms! >= place.waiting! && place.waiting! >= 0);
    const charge = await stage.line(/^rpc enoki_test_payments\.charge ok, /);
    // A call knows the span that led to it, and no call.
    deepStrictEqual([charge.parent, charge.parentSpan], [undefined, place.span]);
    const greet = await stage.line(/^event enoki_test_mail\.greet failed: Error, /);
    strictEqual(greet.outcome, "failed");
    await (await fetch(`${stage.running.http}/refused`)).body?.cancel();
    strictEqual((await stage.line(/^http enoki_test_shop\.refuse expected: Refused, /)).outcome, "expected");
  }, { LOG_CALLS: true }));

Deno.test("the calls are lines of a log at level debug, and of no other without LOG_CALLS", async () => {
  await withShop(
    async (stage) => {
      await order(stage);
      await stage.line(/^http enoki_test_shop\.place ok, /);
    },
    {},
    "debug",
  );
  await withShop(async (stage) => {
    await order(stage);
    await stage.line(/^Gave up a message/);
    deepStrictEqual(stage.lines.filter(({ message }) => / ok, /.test(message)), []);
  });
});
