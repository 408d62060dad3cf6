import assert from "node:assert/strict";
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";
import { InlineThreads } from "../../../runtime/spawning/inline_threads.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { entrypointOf, fixtureUrl, PoolStage, valueOf } from "../../conformance/pool_stage.ts";

configureLogging({ write: () => {} });

/** A pool of inline threads that has started. */
function inlinePool(maxWorkers = 1): Promise<PoolStage> {
  return PoolStage.open((url) => Promise.resolve(new InlineThreads(url)), { maxWorkers });
}

Deno.test("Pool.handOver() gives waiting calls to the successor and finishes those that run", async () => {
  await using former = await inlinePool();
  await using successor = await inlinePool();
  const running = former.call("hold", "the first");
  const held = await former.gate.arrival("the first");
  const waiting = former.value("whoami");
  former.pool.handOver(successor.pool);
  assert.equal(await waiting, await successor.value("whoami"));
  held.release();
  assert.equal((await running).status, "done");
  await former.pool.shutdown();
});

Deno.test("Pool.handOver() leaves a call that waits cancellable", async () => {
  await using former = await inlinePool();
  await using successor = await inlinePool();
  void successor.call("hold", "the successor");
  await successor.gate.arrival("the successor");
  void former.call("hold", "the first");
  await former.gate.arrival("the first");
  const cancellation = new Cancellation();
  const invocation = {
    entrypoint: entrypointOf("working", "echo"),
    body: "",
    contentType: undefined,
    headers: undefined,
  };
  const waiting = former.pool.run(invocation, cancellation);
  former.pool.handOver(successor.pool);
  assert.equal(successor.pool.queued, 1);
  cancellation.cancel();
  assert.deepEqual(await waiting, { status: "unstarted", reason: "cancelled" });
  assert.equal(successor.pool.queued, 0);
});

Deno.test("Pool.handOver() passes on how long calls take", async () => {
  await using former = await inlinePool();
  await using successor = await inlinePool();
  while (former.pool.demand === 1) valueOf(await former.call("echo", 1));
  former.pool.handOver(successor.pool);
  assert.equal(successor.pool.demand, former.pool.demand);
});

Deno.test("Pool.freeze() lets no more threads start", async () => {
  await using stage = await inlinePool(2);
  stage.pool.freeze();
  const first = stage.call("hold", "the first");
  const second = stage.call("hold", "the second");
  (await stage.gate.arrival("the first")).release();
  (await stage.gate.arrival("the second")).release();
  await Promise.all([first, second]);
  assert.equal(stage.threads.spawned.length, 1);
});

Deno.test("Pool.freeze() lets no thread be renewed", async () => {
  await using stage = await PoolStage.open((url) => Promise.resolve(new InlineThreads(url)), { maxCalls: 5 });
  stage.pool.freeze();
  for (let call = 0; call < 20; call++) await stage.value("echo", call);
  assert.equal(stage.threads.spawned.length, 1);
});

Deno.test("Pool.freeze() lets the last thread be replaced when it is lost", async () => {
  await using stage = await inlinePool(2);
  stage.pool.freeze();
  stage.threads.spawned[0]!.kill();
  assert.equal(await stage.value("echo", "alive"), "alive");
});

Deno.test("Pool uses no thread that has loaded other entrypoints than it is told", async () => {
  const entrypoints = [{ method: "echo", kind: "rpc", options: {} }];
  await using stage = new PoolStage(new InlineThreads(fixtureUrl("working")), { entrypoints });
  await assert.rejects(
    stage.pool.start(),
    /it offers something else in each thread \(.+ ≠ .+\)\. Use no random value/,
  );
});
