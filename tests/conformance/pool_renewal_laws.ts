import assert from "node:assert/strict";
import type { PoolLaw } from "./pool.ts";
import { failureOf, valueOf } from "./pool_stage.ts";

type Stage = Parameters<Parameters<PoolLaw>[2]>[0];

/** How threads are renewed that have run enough calls, are old, or have a large heap. */
export function poolRenewalLaws(law: PoolLaw, { threads }: { readonly threads: boolean }): void {
  const renewed: string[] = [];
  const onThreadRenewed = (reason: string) => void renewed.push(reason);
  law("renews one that has run maxCalls calls, and tells so", {
    maxWorkers: 1,
    maxCalls: 20,
    onThreadRenewed,
  }, async (stage) => {
    renewed.length = 0;
    const former = await stage.value("whoami");
    let calls = 1;
    while (await stage.value("whoami") === former) calls++;
    assert.ok(calls >= 18, `it was renewed after ${calls} calls`);
    await stage.threads.spawned[0]!.ended;
    const { level, message, properties } = await stage.logged(/^Renewed thread "working#1": it has run/);
    assert.equal(level, "debug");
    assert.match(message, /it has run \d+ calls \(max_calls\), and still runs [01]$/);
    assert.deepEqual(properties, { reason: "calls" });
    assert.equal(renewed[0], "calls");
    assert.equal(disposals(stage, former), 1);
  });

  law("has others ready while it renews one, so that no call waits for a start", {
    maxWorkers: 1,
    maxCalls: 10,
  }, async (stage) => {
    const identities = new Set<unknown>();
    while (identities.size < 3) {
      identities.add(await stage.value("whoami"));
      assert.equal(stage.pool.threads.ready, 1);
    }
  });

  law("renews one that is older than maxAge, though it has nothing to do", {
    maxWorkers: 1,
    maxAge: 500,
  }, async (stage) => {
    const former = await stage.value("whoami");
    const { properties } = await stage.logged(/^Renewed thread "working#1": it has served for \d\.\d s/);
    assert.deepEqual(properties, { reason: "age" });
    await stage.threads.spawned[0]!.ended;
    assert.notEqual(await stage.value("whoami"), former);
  });

  law("lets a call that runs long finish in the thread that is renewed", {
    maxWorkers: 1,
    concurrency: 2,
    maxCalls: 5,
  }, async (stage) => {
    const long = stage.call("hold", "long");
    const held = await stage.gate.arrival("long");
    await renewal(stage);
    const next = await stage.value("whoami");
    const drained = stage.pool.drain().then(() => "drained");
    assert.equal(stage.pool.active, 1);
    assert.equal(disposals(stage, "any"), 0);
    held.release();
    const former = valueOf(await long);
    assert.notEqual(former, next);
    assert.equal(await drained, "drained");
    await stage.threads.spawned[0]!.ended;
    assert.equal(disposals(stage, former), 1);
  });

  law("keeps one that is renewed until its streams have ended", {
    module: "streaming",
    maxWorkers: 1,
    concurrency: 2,
    maxCalls: 5,
  }, async (stage) => {
    const outcome = await stage.call("ticks");
    const stream = outcome.status === "done" ? outcome.stream : undefined;
    assert.ok(stream);
    const former = await stream.next();
    await renewal(stage);
    await stage.value("whoami");
    assert.equal(stage.pool.size, 2);
    assert.equal(await stream.next(), former);
    stream.cancel();
    await stage.threads.spawned[0]!.ended;
  });

  law("ends one that is renewed when a call in it does not end", {
    maxWorkers: 1,
    concurrency: 3,
    maxCalls: 5,
    killGrace: 50,
  }, async (stage) => {
    const long = stage.call("hold", "long");
    await stage.gate.arrival("long");
    const endless = stage.callWith({ timeout: 3_000 }, "awaitForEver");
    while (stage.threads.spawned.length < 2) await stage.value("nap", 1);
    await stage.logged(/^Renewed thread/);
    assert.equal(failureOf(await endless).code, "TIMEOUT");
    stage.threads.spawned[0]!.kill();
    assert.equal(failureOf(await long).code, "WORKER_LOST");
    await stage.logged(/^Lost thread "working#1"/);
    assert.equal(await stage.value("echo", "next"), "next");
  });

  law("starts one at a time to renew others, though all of them have run enough calls at once", {
    maxWorkers: 2,
    minWorkers: 2,
    maxCalls: 1,
  }, async (stage) => {
    const { pool, threads, gate } = stage;
    const former = threads.spawned.slice();
    const names = ["first", "second"];
    const calls = names.map((name) => stage.call("hold", name));
    await Promise.all(names.map((name) => gate.arrival(name)));
    const startingBeside: number[] = [];
    threads.onSpawn = () => void startingBeside.push(pool.threads.starting);
    gate.open(...names);
    await Promise.all([...calls, ...former.map(({ ended }) => ended)]);
    assert.deepEqual(startingBeside, [0, 0]);
    assert.equal(pool.threads.ready, 2);
  });

  law("keeps one that is to be renewed while no other can start", {
    maxWorkers: 1,
    maxCalls: 5,
  }, async (stage) => {
    const former = await stage.value("whoami");
    while (stage.threads.spawned.length < 2) await stage.value("echo", 1);
    stage.threads.spawned[1]!.kill();
    const { error } = await stage.logged(/^Cannot start another thread: .* Trying again in 250 ms/);
    assert.equal(error, undefined, "the sentence says it all");
    assert.equal(await stage.value("whoami"), former);
    await stage.logged(/^Renewed thread "working#1"/);
    assert.notEqual(await stage.value("whoami"), former);
    await stage.threads.spawned[0]!.ended;
  });

  law("needs no further one if the one that it renews is lost", {
    maxWorkers: 1,
    maxCalls: 5,
  }, async (stage) => {
    while (stage.threads.spawned.length < 2) await stage.value("echo", 1);
    stage.threads.spawned[0]!.kill();
    assert.equal(await stage.value("echo", "next"), "next");
    assert.equal(stage.threads.spawned.length, 2);
    assert.equal(stage.pool.size, 1);
  });

  law("runs each of many calls once while it renews one after the other", {
    maxWorkers: 4,
    concurrency: 3,
    maxCalls: 30,
    logLimit: 1_000_000,
  }, async (stage) => {
    let id = 0;
    const renewals = () => stage.records.filter(({ message }) => message.startsWith("Renewed thread")).length;
    await Promise.all(Array.from({ length: 8 }, async () => {
      while (renewals() < 2 || id < 500) {
        const own = id++;
        assert.equal(await stage.value("sleepOrSpin", own, own % 10 === 0 ? 3 : 0, own % 20 === 0), own);
      }
    }));
    const runs = stage.records.filter(({ message }) => message === "ran");
    assert.equal(runs.length, id);
    assert.equal(new Set(runs.map(({ properties }) => properties?.["id"])).size, id);
    assert.equal(stage.records.some(({ level }) => level === "error"), false);
  });

  if (!threads) return;
  law("renews one whose heap is above the soft limit, and warns if that is soon", {
    maxWorkers: 1,
    softHeapLimit: 64,
  }, async (stage) => {
    const former = await stage.value("whoami");
    await stage.value("keep", 80);
    const told = stage.logged(/^Renewed thread "working#1": it uses \d+ MiB of heap \(soft_heap_limit\)/);
    let isTold = false;
    void told.then(() => isTold = true);
    while (!isTold) await stage.value("nap", 20);
    assert.deepEqual((await told).properties, { reason: "memory" });
    await stage.logged(/^Renewed thread "working#1" \d+ s after its start: .* raise soft_heap_limit$/);
    assert.notEqual(await stage.value("whoami"), former);
    await stage.threads.spawned[0]!.ended;
  });
}

/** Calls until a thread is renewed. */
async function renewal(stage: Stage): Promise<void> {
  while (!stage.records.some(({ message }) => message.startsWith("Renewed thread"))) {
    await stage.value("whoami");
  }
}

/** How often the provider of a thread was disposed of; `any` stands for all threads. */
function disposals(stage: Stage, identity: unknown): number {
  return stage.records.filter(({ message, properties }) =>
    message === "disposed" && (identity === "any" || properties?.["identity"] === identity)
  ).length;
}
