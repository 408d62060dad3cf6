/** What the limits of methods promise, with real threads. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { RpcCaller } from "../../../../extensions/rpc/caller.ts";
import { DEFAULT_EXCHANGE } from "../../../../extensions/rpc/settings.ts";
import { connectSocket } from "../../../../extensions/websocket/client.ts";
import { connect, run, type Running } from "../../../../extensions/run.ts";
import { configureLogging } from "../../../../runtime/log/observe.ts";
import { ShakyService } from "../../../extensions/rpc/resilience/shaky_service.ts";
import { socketUrl } from "../../../extensions/websocket/socket_stage.ts";
import { BROKERS, isMissing } from "../../../fixtures/brokers.ts";
import { freePort } from "../../../fixtures/free_port.ts";
import { parsePrometheus, valueOf } from "../../../fixtures/prometheus_parser.ts";
import { servicePath } from "../../../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

const SERVICE = "enoki_test_limited";

/** What the laws need. */
interface Stage extends AsyncDisposable {
  readonly shaky: ShakyService;
  readonly running: Running;
  call(method: string, ...args: unknown[]): Promise<unknown>;
  /** Calls a method with the time that the headers state, and waits longer. */
  callFor(milliseconds: number, method: string, ...args: unknown[]): Promise<string>;
  publishWork(name: string): Promise<void>;
  /** Resolves when a number of the service is what it should be. */
  becomes(name: string, labels: Readonly<Record<string, string>>, value: number): Promise<void>;
  /** Serves the service again, over the same broker. */
  serve(): Promise<Running>;
}

async function stageOn(kind: string, limits = { max_workers: 2, concurrency: 4 }): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await BROKERS[kind]!());
  const shaky = stack.use(await ShakyService.open(await broker.transport(), "enoki_test_held"));
  const metrics = `127.0.0.1:${freePort()}`;
  const serve = async (health?: string) =>
    await run([servicePath("limited.ts")], {
      broker: await broker.transport(),
      config: { WEB_SERVER_ADDRESS: "127.0.0.1:0", ...(health && { HEALTH_ADDRESS: health }), ...limits },
      threads: { kind: "web" },
    });
  const own = await broker.transport();
  stack.defer(() => own.close());
  await own.deleteQueue(`rpc-${SERVICE}`);
  await own.deleteQueue("enoki_test_limited_work");
  const running = stack.use(await serve(metrics));
  const cluster = stack.use(await connect({ broker: await broker.transport(), timeout: 60_000 }));
  const caller = stack.use(
    new RpcCaller(own, { caller: "test", exchange: DEFAULT_EXCHANGE }),
  );
  const kept = stack.move();
  return {
    shaky,
    running,
    serve: () => serve(),
    call(method, ...args) {
      const result = cluster.method(SERVICE, method)(...args);
      // A test that fails does not wait for it.
      result.catch(() => {});
      return result;
    },
    async callFor(milliseconds, method, ...args) {
      const body = JSON.stringify({ args, kwargs: {} });
      const headers = { "nameko.enoki_timeout": String(milliseconds) };
      return String(await caller.request({ service: SERVICE, method, body, headers }, { timeout: 60_000 }));
    },
    publishWork: (name) =>
      own.publish({
        exchange: "",
        routingKey: "enoki_test_limited_work",
        body: JSON.stringify(name),
        properties: { contentType: "application/json" },
      }),
    async becomes(name, labels, value) {
      for (;;) {
        const page = parsePrometheus(await (await fetch(`http://${metrics}/metrics`)).text());
        if (valueOf(page, name, { service: SERVICE, ...labels }) === value) return;
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

for (const kind of Object.keys(BROKERS)) {
  Deno.test({
    name: `${kind}: a method at its limit runs no more calls at once, and the others of its service go on`,
    ignore: isMissing(kind),
    async fn() {
      await using stage = await stageOn(kind);
      const { shaky, call } = stage;
      // They are more than the service prefetches, which is a hundred above what it can run.
      const COUNT = 150;
      const calls = Array.from({ length: COUNT }, (_, index) => call("narrow", index));
      const running = [await shaky.next(), await shaky.next()];
      strictEqual(await call("free"), "free");
      strictEqual(shaky.count, 2);
      const order: unknown[] = [];
      for (let ended = 0; ended < COUNT; ended++) {
        ok(shaky.count - ended <= 2, `${shaky.count - ended} run at once`);
        const [first] = running.splice(0, 1);
        order.push(first!.args[0]);
        await first!.answer(first!.args[0]);
        if (shaky.count < COUNT || ended < COUNT - 2) running.push(await shaky.next());
      }
      const all = Array.from({ length: COUNT }, (_, index) => index);
      deepStrictEqual(await Promise.all(calls), all);
      // Two threads may swap two calls that begin together.
      ok(order.every((name, index) => Math.abs(Number(name) - index) <= 2), String(order));
      await stage.becomes("enoki_calls_held", { method: "narrow" }, 0);
    },
  });

  Deno.test({
    name: `${kind}: a polite stop finishes the calls that run, and gives back those that wait for their turn`,
    ignore: isMissing(kind),
    async fn() {
      await using stage = await stageOn(kind);
      const { shaky, call, running } = stage;
      const calls = Array.from({ length: 5 }, (_, index) => call("narrow", index));
      const first = [await shaky.next(), await shaky.next()];
      await stage.becomes("enoki_calls_held", { method: "narrow" }, 3);
      const stopped = running.shutdown();
      await stage.becomes("enoki_calls_held", { method: "narrow" }, 0);
      for (const request of first) await request.answer("first");
      await stopped;
      strictEqual(shaky.count, 2);
      await using _again = await stage.serve();
      for (let others = 0; others < 3; others++) await (await shaky.next()).answer("again");
      deepStrictEqual(await Promise.all(calls), ["first", "first", "again", "again", "again"]);
    },
  });

  Deno.test({
    name: `${kind}: a consumer at its limit leaves the messages in the queue, for others`,
    ignore: isMissing(kind),
    async fn() {
      await using stage = await stageOn(kind);
      const { shaky } = stage;
      await stage.publishWork("one");
      const one = await shaky.next();
      await stage.publishWork("two");
      // The first process holds no second message, so the other one gets it.
      await using _other = await stage.serve();
      const two = await shaky.next();
      strictEqual(two.args[0], "two");
      await stage.publishWork("three");
      await one.answer();
      const three = await shaky.next();
      strictEqual(shaky.count, 3);
      await three.answer();
      await two.answer();
    },
  });
}

Deno.test("the caller of a call that waits for its turn is answered when its deadline passes", async () => {
  await using stage = await stageOn("memory");
  const { shaky, call, callFor } = stage;
  const calls = [call("narrow", 1), call("narrow", 2)];
  const running = [await shaky.next(), await shaky.next()];
  match(
    await callFor(100, "narrow", 3),
    /"CallTimeoutError".*Cannot run \\"enoki_test_limited\.narrow\\": its deadline passed while it waited, since 2 at/,
  );
  strictEqual(shaky.count, 2);
  await stage.becomes("enoki_calls_refused_total", { method: "narrow", reason: "deadline" }, 1);
  for (const request of running) await request.answer();
  await Promise.all(calls);
});

Deno.test("a rate delays calls, and lets no more begin in a second than it says", async () => {
  await using stage = await stageOn("memory");
  const { shaky, call } = stage;
  const COUNT = 31;
  const calls = Array.from({ length: COUNT }, () => call("steady"));
  const times: number[] = [];
  for (let begun = 0; begun < COUNT; begun++) {
    const request = await shaky.next();
    times.push(performance.now());
    await request.answer();
  }
  await Promise.all(calls);
  for (const [index, time] of times.entries()) {
    const within = times.slice(index).filter((later) => later < time + 1_000).length;
    ok(within <= 23, `${within} calls began within a second, and 20 may`);
  }
  // Thirty intervals of 50 ms. A machine that is busy may be late, but not twice as slow.
  const took = times.at(-1)! - times[0]!;
  ok(took > 1_350 && took < 3_000, `${took} ms`);
});

Deno.test("among calls that wait for a thread, those of a higher priority go first, in the order of their coming", async () => {
  await using stage = await stageOn("memory", { max_workers: 1, concurrency: 1 });
  const { shaky, call } = stage;
  const calls = [call("low", "first")];
  const first = await shaky.next();
  for (const name of ["a", "b"]) {
    calls.push(call("low", name));
    calls.push(call("high", name));
    calls.push(call("narrow", name));
  }
  await stage.becomes("enoki_calls_waiting", {}, 6);
  const order: string[] = [];
  for (let next = first;; next = await shaky.next()) {
    order.push(`${next.method} ${next.args[0]}`);
    await next.answer();
    if (order.length === calls.length) break;
  }
  deepStrictEqual(order, ["low first", "high a", "high b", "narrow a", "narrow b", "low a", "low b"]);
  await Promise.all(calls);
});

Deno.test("HTTP requests wait for the limit of their method, and go when their client goes", async () => {
  await using stage = await stageOn("memory");
  const { shaky, running } = stage;
  const first = fetch(`${running.http}/page`);
  const one = await shaky.next();
  const leaving = new AbortController();
  const gone = fetch(`${running.http}/page`, { signal: leaving.signal }).catch(() => {});
  await stage.becomes("enoki_calls_held", { method: "page" }, 1);
  const second = fetch(`${running.http}/page`);
  await stage.becomes("enoki_calls_held", { method: "page" }, 2);
  leaving.abort();
  await gone;
  await stage.becomes("enoki_calls_held", { method: "page" }, 1);
  await one.answer("one");
  strictEqual(await (await first).text(), "one");
  await (await shaky.next()).answer("two");
  strictEqual(await (await second).text(), "two");
  strictEqual(shaky.count, 2);
});

Deno.test("a stop answers the HTTP requests that wait for their turn", async () => {
  await using stage = await stageOn("memory");
  const { shaky, running } = stage;
  const first = fetch(`${running.http}/page`);
  const one = await shaky.next();
  const second = fetch(`${running.http}/page`);
  await stage.becomes("enoki_calls_held", { method: "page" }, 1);
  const stopped = running.shutdown();
  await one.answer("one");
  await (await shaky.next()).answer("two");
  strictEqual(await (await first).text(), "one");
  strictEqual(await (await second).text(), "two");
  await stopped;
});

Deno.test("HTTP requests above a rate are answered by 429, which says when to come again", async () => {
  await using stage = await stageOn("memory");
  const responses = [1, 2, 3].map(async () => {
    const response = await fetch(`${stage.running.http}/seldom`);
    return {
      status: response.status,
      later: response.headers.get("retry-after"),
      text: await response.text(),
    };
  });
  const all = (await Promise.all(responses)).sort((a, b) => a.status - b.status);
  deepStrictEqual(all.map(({ status }) => status), [200, 200, 429]);
  ok(Number(all[2]!.later) >= 9 && Number(all[2]!.later) <= 10, String(all[2]!.later));
  deepStrictEqual(JSON.parse(all[2]!.text), {
    error: "TooManyRequests",
    message: "There are too many requests",
  });
  await stage.becomes("enoki_calls_refused_total", { method: "seldom", reason: "rate" }, 1);
});

Deno.test("calls over a WebSocket above a rate fail at once, and the socket goes on", async () => {
  await using stage = await stageOn("memory");
  await using socket = connectSocket(socketUrl(stage.running.http!));
  const say = socket.call["say"]!;
  strictEqual(await say(), "said");
  await rejects(say(), {
    code: "RATE_LIMITED",
    message: /^Cannot run "enoki_test_limited\.say": 0\.1 calls a second may begin\. Call again in \d+ ms$/,
  });
  await rejects(say(), { code: "RATE_LIMITED" });
});

Deno.test("a stream counts until its end", async () => {
  await using stage = await stageOn("memory");
  const { shaky, running } = stage;
  const first = await fetch(`${running.http}/endless`);
  const reader = first.body!.getReader();
  await reader.read();
  const second = fetch(`${running.http}/endless`);
  await stage.becomes("enoki_calls_held", { method: "endless" }, 1);
  await (await shaky.next()).answer();
  strictEqual((await reader.read()).done, true);
  await (await second).body!.cancel();
});
