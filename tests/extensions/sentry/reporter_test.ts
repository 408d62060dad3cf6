/** What Sentry gets of calls that fail. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection } from "../../../extensions/run.ts";
import { configureLogging, resetLogging } from "../../../runtime/log/observe.ts";
import type shop from "../../fixtures/services/failing_shop.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";
import { type ReceivedEvent, SentryReceiver } from "./receiver.ts";

/** A secret that is no part of a random id, because those are hexadecimal. */
const CARD = "visa-4111";

interface Stage {
  readonly sentry: SentryReceiver;
  readonly cluster: Connection;
  readonly lines: readonly string[];
}

interface StageOptions {
  readonly sentry?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
  readonly level?: string;
  readonly answer?: () => Response | Promise<Response>;
  readonly onStopped?: () => void;
}

/** Serves the shop, and stops it when `use` has ended. */
async function withShop(
  use: (stage: Stage) => Promise<void>,
  { sentry: more = {}, config = {}, level = "info", answer, onStopped = () => {} }: StageOptions = {},
): Promise<void> {
  await using sentry = new SentryReceiver(answer);
  const lines: string[] = [];
  configureLogging({ level, format: "json", write: (line) => lines.push(line) });
  try {
    const broker = new MemoryBroker();
    await using _running = await serveInMemory(broker, ["failing_shop.ts"], {
      config: { SENTRY: { DSN: sentry.dsn, ...more }, ...config },
    });
    await using cluster = await connect({ broker: memory({ broker }) });
    await use({ sentry, cluster, lines });
  } finally {
    onStopped();
    resetLogging();
  }
}

function shopOf({ cluster }: Stage) {
  return cluster.client<typeof shop>("enoki_test_failing_shop");
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const headers = {
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  user_id: 42,
  user_email: "ada@example.org",
  auth_token: "s3cret",
  origin_call_id: "web.1",
};

Deno.test("Sentry gets an error with its call, trace, causes, redacted arguments and context data", () =>
  withShop(async (stage) => {
    await rejects(shopOf(stage).place.with({ headers })(5, CARD));
    const event = await stage.sentry.event(({ logger }) => logger === "enoki_test_failing_shop.place");
    match(event.event_id, /^[\da-f]{32}$/);
    strictEqual(event.level, "error");
    const [cause, error] = event.exception.values;
    deepStrictEqual([cause!.type, cause!.value], ["RangeError", "no such shelf"]);
    deepStrictEqual([error!.type, error!.value], [
      "TypeError",
      "cannot pack 5: postgres://shop:********@db/shop",
    ]);
    const last = error!.stacktrace!.frames.at(-1)!;
    match(last.filename, /failing_shop\.ts$/);
    deepStrictEqual([last.in_app, error!.mechanism.handled], [true, false]);
    const { call_id, parent_call_id, thread, ...tags } = event.tags;
    match(call_id!, /^enoki_test_failing_shop\.place\.[\da-f-]{36}$/);
    match(parent_call_id!, /^standalone_rpc_proxy\.call\./);
    match(thread!, /^enoki_test_failing_shop#\d+$/);
    deepStrictEqual(tags, {
      service_name: "enoki_test_failing_shop",
      method_name: "place",
      kind: "rpc",
      origin_call_id: "web.1",
    });
    match(
      event.logentry.formatted,
      new RegExp(`^Unhandled exception in call ${call_id}: TypeError cannot pack`),
    );
    deepStrictEqual(event.user, { id: 42, user_id: 42, user_email: "ada@example.org" });
    strictEqual(event.contexts.trace!.trace_id, TRACE);
    deepStrictEqual(event.extra.arguments, { order: 5, card: "********" });
    strictEqual(event.extra.auth_token, "********");
    for (const secret of ["hunter2", "s3cret", CARD]) ok(!stage.sentry.texts.join().includes(secret));
    deepStrictEqual([...stage.sentry.keys], ["publickey"]);
    ok(!stage.lines.join().includes("publickey"));
  }));

Deno.test("Sentry gets failures that no handler tells of, and those of timers", () =>
  withShop(async (stage) => {
    await rejects(shopOf(stage).leave.with({ headers })());
    const lost = await stage.sentry.event(({ logger }) => logger === "enoki_test_failing_shop.leave");
    match(lost.exception.values[0]!.value, /Deno\.exit\(3\)/);
    strictEqual(lost.user.user_id, 42);
    const tick = await stage.sentry.event(({ logger }) => logger === "enoki_test_failing_shop.tick");
    deepStrictEqual([tick.exception.values[0]!.value, tick.tags.kind], ["no time", "timer"]);
  }));

Deno.test("Sentry gets a failure that comes after its call has run out of time", () =>
  withShop(async (stage) => {
    await rejects(shopOf(stage).dawdle());
    const isOf = (type: string) => ({ logger, exception }: ReceivedEvent) =>
      logger === "enoki_test_failing_shop.dawdle" &&
      exception.values.some((each) => each.value.includes(type));
    const [timeout, late] = [
      await stage.sentry.event(isOf("50 ms")),
      await stage.sentry.event(isOf("too late")),
    ];
    strictEqual(timeout.tags.call_id, late.tags.call_id);
  }));

Deno.test("Sentry gets an expected error as a warning, even if the log does not show it", () =>
  withShop(async (stage) => {
    await rejects(shopOf(stage).reserve("a"));
    const event = await stage.sentry.event(({ logger }) => logger === "enoki_test_failing_shop.reserve");
    strictEqual(event.level, "warning");
    const { type, value, mechanism } = event.exception.values[0]!;
    deepStrictEqual([type, value, mechanism.handled], ["SoldOutError", "nothing left: really", true]);
    deepStrictEqual(stage.lines.filter((line) => line.includes("nothing left")), []);
  }, { level: "error" }));

Deno.test("REPORT_EXPECTED_EXCEPTIONS: false reports no expected errors; CLIENT_CONFIG goes along", () =>
  withShop(async (stage) => {
    await rejects(shopOf(stage).reserve("a"));
    await rejects(shopOf(stage).place(5, CARD));
    const event = await stage.sentry.event(({ logger }) => logger === "enoki_test_failing_shop.place");
    deepStrictEqual([event.environment, event.release, event.server_name], ["test", "1.2.3", "web-1"]);
    deepStrictEqual([event.tags.site, event.tags.zone], ["shop.example", "4"]);
    deepStrictEqual(stage.sentry.events.filter(({ level }) => level === "warning"), []);
    ok(stage.lines.some((line) => line.includes('SENTRY.CLIENT_CONFIG.processors\\" is Python')));
  }, {
    sentry: {
      REPORT_EXPECTED_EXCEPTIONS: false,
      CLIENT_CONFIG: {
        environment: "test",
        release: "1.2.3",
        name: "web-1",
        site: "shop.example",
        tags: { zone: 4 },
        processors: ["x.Y"],
      },
    },
  }));

Deno.test("LOG_CALLS reports no call twice, and telemetry: false reports all but the context data", () =>
  withShop(async (stage) => {
    for (const _ of [1, 2]) await rejects(shopOf(stage).place.with({ headers })(5, CARD));
    await stage.sentry.event(({ logger }) => logger === "enoki_test_failing_shop.place");
    strictEqual(await shopOf(stage).add(1, 2), 3);
    await stage.sentry.event(() => stage.sentry.events.length >= 3);
    const places = stage.sentry.events.filter(({ logger }) => logger === "enoki_test_failing_shop.place");
    strictEqual(places.length, 2);
    deepStrictEqual(places[0]!.user, {});
  }, { config: { LOG_CALLS: true, telemetry: false } }));

Deno.test("a Sentry that does not answer holds up neither calls nor the stop", async () => {
  const asked = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<Response>();
  await withShop(async (stage) => {
    await rejects(shopOf(stage).place(5, CARD));
    await asked.promise;
    strictEqual(await shopOf(stage).add(1, 2), 3);
  }, {
    answer() {
      asked.resolve();
      return stopped.promise;
    },
    onStopped: () => stopped.resolve(new Response()),
  });
});

Deno.test("a Sentry that gets too much is left alone, and the log says so once", () =>
  withShop(async (stage) => {
    for (let count = 0; count < 5; count++) await rejects(shopOf(stage).place(5, CARD));
    const told = () =>
      stage.lines.filter((line) => /Cannot report a failure to Sentry at 127\.0\.0\.1:/.test(line));
    while (told().length === 0) await shopOf(stage).add(1, 2);
    strictEqual(told().length, 1);
    match(told()[0]!, /Sentry answered 429/);
    const sent = stage.sentry.texts.length;
    for (let count = 0; count < 5; count++) await rejects(shopOf(stage).place(5, CARD));
    strictEqual(stage.sentry.texts.length, sent);
  }, { answer: () => new Response(null, { status: 429, headers: { "retry-after": "600" } }) }));
