import assert from "node:assert/strict";
import type { PoolLaw } from "./pool.ts";
import { valueOf } from "./pool_stage.ts";

/** What the loss of a thread costs. */
export function poolLosingLaws(law: PoolLaw, { killsSpinning }: { readonly killsSpinning: boolean }): void {
  const ways = [["exitThread", "Deno.exit"], ["exitProcess", "process.exit"], [
    "close",
    "self.close",
  ]] as const;
  for (const [method, way] of ways) {
    law(
      `fails the call that ends its thread with ${way}, and starts another`,
      { maxWorkers: 1 },
      async (stage) => {
        const before = await stage.value("whoami");
        const failure = await stage.failure(method);
        assert.equal(failure.code, "WORKER_LOST");
        assert.equal(failure.retryable, true);
        assert.match(failure.message, /Deno\.exit\([034]\)/);
        assert.notEqual(await stage.value("whoami"), before);
        assert.match((await stage.logged(/^Lost thread/)).message, /Lost thread "working#1"/);
      },
    );
  }

  law("says of a lost call how many others were in its thread", {
    maxWorkers: 1,
    concurrency: 3,
  }, async (stage) => {
    const held = ["one", "other"].map((name) => stage.call("hold", name));
    for (const name of ["one", "other"]) await stage.gate.arrival(name);
    const lost = await Promise.all([stage.call("exitThread"), ...held]);
    assert.deepEqual(lost.map((outcome) => outcome.status === "failed" && outcome.lostWith), [2, 2, 2]);
    const alone = await stage.call("exitThread");
    assert.equal(alone.status === "failed" && alone.lostWith, 0);
  });

  law("leaves the calls in other threads alone when one is lost", { maxWorkers: 2 }, async (stage) => {
    const neighbour = stage.call("hold", "neighbour");
    const held = await stage.gate.arrival("neighbour");
    assert.equal((await stage.failure("exitThread")).code, "WORKER_LOST");
    held.release();
    assert.equal(typeof valueOf(await neighbour), "string");
  });

  law("runs the calls in the mailbox of a lost thread elsewhere, once", { maxWorkers: 1 }, async (stage) => {
    // Short calls go to the mailbox of a thread that runs another.
    for (let id = 0; id < 40; id++) await stage.value("sleepOrSpin", -1, 0, false);
    await stage.value("say", "warm");
    const lost = stage.call("sleepOrSpin", 0, 10_000, true);
    const calls = Array.from({ length: 5 }, (_, index) => stage.call("sleepOrSpin", index + 1, 0, false));
    await stage.logged("ran", { id: 0 });
    stage.threads.spawned[0]!.kill();
    assert.equal((await lost).status, "failed");
    assert.deepEqual((await Promise.all(calls)).map(valueOf), [1, 2, 3, 4, 5]);
    const ids = stage.records.map(({ properties }) => properties?.["id"]);
    for (let id = 1; id <= 5; id++) assert.equal(ids.filter((each) => each === id).length, 1, `call ${id}`);
  });

  law("survives what a service throws in its own time, and logs it", { maxWorkers: 1 }, async (stage) => {
    const before = await stage.value("whoami");
    const call = stage.call("throwLater", "thrown");
    const held = await stage.gate.arrival("thrown");
    const { level, service, error } = await stage.logged(/outside of all calls: RangeError: thrown/);
    assert.equal(level, "error");
    assert.equal(service, "working");
    assert.match(String(error?.stack), /working\.ts:\d+/);
    await stage.logged(/outside of all calls: TypeError: rejected/);
    held.release();
    assert.equal((await call).status, "done");
    assert.equal(await stage.value("whoami"), before);
  });

  law("aborts what a lost thread had asked for", { maxWorkers: 1 }, async (stage) => {
    const call = stage.call("hold", "asked");
    const { signal } = await stage.gate.arrival("asked");
    stage.threads.spawned[0]!.kill();
    assert.equal((await call).status, "failed");
    assert.equal(signal?.aborted, true);
  });

  law("keeps minWorkers of them", { maxWorkers: 2, minWorkers: 2 }, async (stage) => {
    assert.equal(stage.pool.size, 2);
    stage.threads.spawned[0]!.kill();
    await stage.logged(/^Lost thread/);
    assert.equal(stage.pool.size, 2);
    assert.equal(await stage.value("echo", 1), 1);
  });

  if (!killsSpinning) return;
  law("fails a call that runs out of memory, and only that", {
    maxWorkers: 2,
    stallTimeout: 1_500,
    plan: { heapLimit: 64 },
  }, async (stage) => {
    const neighbour = stage.call("hold", "neighbour");
    const held = await stage.gate.arrival("neighbour");
    assert.equal((await stage.failure("exhaustHeap")).code, "WORKER_LOST");
    held.release();
    assert.equal(typeof valueOf(await neighbour), "string");
    assert.equal(await stage.value("echo", "next"), "next");
  });
}
