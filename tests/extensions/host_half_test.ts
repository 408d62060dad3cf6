import assert from "node:assert/strict";
import { connect } from "../../extensions/connect.ts";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { extension } from "../../runtime/hosting/mod.ts";
import { serveInMemory } from "../fixtures/serve_in_memory.ts";

const COUNTER = new URL("../fixtures/extensions/counter.ts", import.meta.url);

Deno.test("an extension's half of a dependency", async (test) => {
  const broker = new MemoryBroker();
  await using running = await serveInMemory(broker, ["counting.ts"], {
    extensions: [COUNTER],
    config: { max_workers: 3, min_workers: 3 },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  const service = cluster.client("enoki_test_counting");
  await test.step("answers all threads of a service", async () => {
    const counts = await Promise.all(Array.from({ length: 30 }, () => service.next!()));
    assert.deepEqual(new Set(counts), new Set(Array.from({ length: 30 }, (_, index) => index + 1)));
  });
  await test.step("fails a question by what it throws", async () => {
    assert.equal(await service.fail!(), "CallError: the counter of enoki_test_counting is full");
  });
  await test.step("keeps nobody waiting beyond the time of a question", async () => {
    assert.equal(
      String(await service.stall!()),
      'CallTimeoutError: Cannot ask dependency "enoki_test_counting.ask": ' +
        "its half in the main thread gave no answer within 20 ms",
    );
  });
  await test.step("survives a reload", async () => {
    await running.reload();
    assert.equal(await service.next!(), 31);
  });
});

Deno.test("an extension's half of a dependency is disposed when its service has ended", async () => {
  const events: string[] = [];
  const watching = extension({
    dependencies: {
      counter: () =>
        Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve(void events.push("disposed")) }),
    },
  });
  await using running = await serveInMemory(new MemoryBroker(), ["counting.ts"], { extensions: [watching] });
  assert.deepEqual(events, []);
  await running.shutdown();
  assert.deepEqual(events, ["disposed"]);
});

Deno.test("an extension's hook runs around the calls of all services", async (test) => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["counting.ts"], { extensions: [COUNTER] });
  await using cluster = await connect({ broker: memory({ broker }) });
  await test.step("adds context data", async () => {
    assert.equal(await cluster.client("enoki_test_counting").seen!(), "enoki_test_counting.rpc");
  });
  await test.step("refuses a call by its error", async () => {
    const blocked = cluster.client("enoki_test_counting", { headers: { blocked: "yes" } });
    await assert.rejects(blocked.seen!(), {
      name: "RemoteError",
      message: /enoki_test_counting\.seen is blocked/,
    });
  });
});

Deno.test("an extension's hook that gives no outcome fails the call", async () => {
  const broker = new MemoryBroker();
  const forgetful = extension({
    dependencies: { counter: () => Promise.resolve() },
    around: (_call, next) => void next() as never,
  });
  await using _running = await serveInMemory(broker, ["counting.ts"], { extensions: [forgetful] });
  await using cluster = await connect({ broker: memory({ broker }) });
  await assert.rejects(Promise.resolve(cluster.client("enoki_test_counting").seen!()), {
    name: "RemoteError",
    message: /Cannot end enoki_test_counting\.seen: a hook has given no outcome\. Return what next\(\) gives/,
  });
});

Deno.test("a dependency whose half does not answer is told so", async () => {
  const broker = new MemoryBroker();
  const silent = extension({ dependencies: { counter: () => Promise.resolve({}) } });
  await using _running = await serveInMemory(broker, ["counting.ts"], { extensions: [silent] });
  await using cluster = await connect({ broker: memory({ broker }) });
  await assert.rejects(Promise.resolve(cluster.client("enoki_test_counting").next!()), {
    message:
      /Cannot ask about dependency "ask" in the main thread: the half of kind "counter" has no answer\(\)/,
  });
});

Deno.test("an extension's hook replaces the outcome of a call", async () => {
  const broker = new MemoryBroker();
  const answering = extension({
    dependencies: { counter: () => Promise.resolve() },
    around: () => ({ status: "done", body: '"replaced"' }),
  });
  await using _running = await serveInMemory(broker, ["counting.ts"], { extensions: [answering] });
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.client("enoki_test_counting").seen!(), "replaced");
});
