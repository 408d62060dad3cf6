import assert from "node:assert/strict";
import { within } from "../../runtime/waiting/abort.ts";
import type { PoolLaw } from "./pool.ts";
import { failureOf, valueOf } from "./pool_stage.ts";

/** What happens to calls that take too long, and to those behind them. */
export function poolTimingLaws(
  law: PoolLaw,
  { killsSpinning, threads }: { readonly killsSpinning: boolean; readonly threads: boolean },
): void {
  law("aborts the signal of a call whose time is up, and keeps its thread if it ends then", {
    maxWorkers: 1,
    killGrace: 5_000,
  }, async (stage) => {
    const before = await stage.value("whoami");
    const failure = await stage.failure("untilAborted");
    assert.equal(failure.code, "TIMEOUT");
    const { properties } = await stage.logged("aborted");
    assert.match(String(properties?.["reason"]), /CallTimeoutError/);
    assert.equal(properties?.["thread"], before);
    assert.equal(await stage.value("whoami"), before);
    assert.equal(stage.threads.spawned.length, 1);
  });

  law(
    "replaces the thread of a call that ignores its signal",
    { maxWorkers: 1, killGrace: 50 },
    async (stage) => {
      const before = await stage.value("whoami");
      assert.equal((await stage.failure("awaitForEver")).code, "TIMEOUT");
      const after = await stage.value("whoami");
      assert.notEqual(after, before);
      await stage.threads.spawned[0]!.ended;
    },
  );

  law("lets the neighbours of a call that ignores its signal finish before it ends their thread", {
    maxWorkers: 1,
    concurrency: 5,
    killGrace: 150,
  }, async (stage) => {
    const neighbour = stage.call("hold", "neighbour");
    const held = await stage.gate.arrival("neighbour");
    // When the time of the later one is up, the earlier one has used up its grace, too.
    const calls = [100, 600].map((timeout) => stage.callWith({ timeout }, "awaitForEver"));
    for (const call of calls) assert.equal(failureOf(await call).code, "TIMEOUT");
    const next = stage.value("whoami");
    held.release();
    const thread = valueOf(await neighbour);
    await stage.threads.spawned[0]!.ended;
    assert.notEqual(await next, thread);
  });

  law("gives a call only one outcome when it ends after its time", { maxWorkers: 1 }, async (stage) => {
    const outcome = await stage.callWith({ timeout: 30 }, "sleepOrSpin", 1, 100, true);
    assert.equal(failureOf(outcome).code, "TIMEOUT");
    assert.equal(await stage.value("echo", "next"), "next");
  });

  law("refuses a call whose deadline passes while it waits, and runs the next", {
    maxWorkers: 1,
  }, async (stage) => {
    const blocking = stage.call("hold", "blocking");
    const held = await stage.gate.arrival("blocking");
    const late = stage.callWith({ deadline: Date.now() - 1 }, "sleepOrSpin", 1, 0, true);
    const next = stage.value("whoami");
    held.release();
    assert.equal(failureOf(await late).code, "TIMEOUT");
    assert.equal(await next, valueOf(await blocking));
    assert.equal(stage.records.some(({ message }) => message === "ran"), false);
  });

  law("is drained when the last call that waited was refused", { maxWorkers: 1 }, async (stage) => {
    const blocking = stage.call("hold", "blocking");
    const held = await stage.gate.arrival("blocking");
    const late = stage.callWith({ deadline: Date.now() - 1 }, "echo", 1);
    const drained = stage.pool.drain();
    held.release();
    assert.ok(await within(10_000, drained), "nobody told that the pool is idle");
    assert.equal(failureOf(await late).code, "TIMEOUT");
    assert.equal((await blocking).status, "done");
  });

  law("does not count the time that a call waits against its limit", { maxWorkers: 1 }, async (stage) => {
    const blocking = stage.call("hold", "blocking");
    const held = await stage.gate.arrival("blocking");
    const waiting = stage.callWith({ timeout: 100 }, "echo", "waited");
    setTimeout(() => held.release(), 300);
    await blocking;
    assert.equal(valueOf(await waiting), "waited");
  });

  law(
    "runs short calls elsewhere when the one before them turns out long",
    { maxWorkers: 2 },
    async (stage) => {
      await twoThreadsWithShortCalls(stage);
      const calls: Promise<unknown>[] = [];
      const start = performance.now();
      const long = stage.call("sleepOrSpin", 0, 1_500, true);
      for (let id = 1; id <= 20; id++) calls.push(stage.call("sleepOrSpin", id, 0, true));
      await Promise.all(calls);
      const elapsed = performance.now() - start;
      assert.ok(elapsed < 500, `the calls behind a long one waited ${elapsed} ms`);
      valueOf(await long);
      assertRanOnce(
        stage.records.slice(stage.records.findLastIndex(({ message }) => message === "warm")),
        21,
      );
    },
  );

  law(
    "runs short calls elsewhere though the long one before them is heard of",
    { maxWorkers: 2 },
    async (stage) => {
      await twoThreadsWithShortCalls(stage);
      const long = stage.call("chat", "chatty");
      const held = await stage.gate.arrival("chatty");
      const start = performance.now();
      const calls = Array.from({ length: 30 }, (_, index) => stage.value("echo", index));
      assert.equal((await Promise.all(calls)).length, 30);
      const elapsed = performance.now() - start;
      assert.ok(elapsed < 500, `the calls behind a long one waited ${elapsed} ms`);
      held.release();
      valueOf(await long);
    },
  );

  if (threads) {
    law("runs short calls elsewhere when the one before them spins", { maxWorkers: 2 }, async (stage) => {
      await twoThreadsWithShortCalls(stage);
      const start = performance.now();
      const long = stage.call("sleepOrSpin", 0, 1_500, false);
      const calls = Array.from({ length: 20 }, (_, index) => stage.call("sleepOrSpin", index + 1, 0, false));
      await Promise.all(calls);
      const elapsed = performance.now() - start;
      assert.ok(elapsed < 500, `the calls behind a spinning one waited ${elapsed} ms`);
      valueOf(await long);
      assertRanOnce(
        stage.records.slice(stage.records.findLastIndex(({ message }) => message === "warm")),
        21,
      );
    });
  }

  if (!killsSpinning) return;
  const file = Deno.makeTempFileSync({ prefix: "enoki-spin-" });
  addEventListener("unload", () => Deno.removeSync(file));
  law("answers for a call that spins beyond its time, and stops it", {
    maxWorkers: 1,
    killGrace: 50,
    plan: { permissions: { write: [file] } },
  }, async (stage) => {
    await stage.value("whoami");
    const start = performance.now();
    const failure = await stage.failure("spin", file);
    const elapsed = performance.now() - start;
    assert.equal(failure.code, "TIMEOUT");
    assert.equal(failure.retryable, true);
    assert.ok(elapsed >= 199 && elapsed < 450, `answered after ${elapsed} ms`);
    assert.equal(await stage.value("echo", "next"), "next");
    await stage.threads.spawned[0]!.ended;
    await assertStill(file);
  });

  law("stops a spinning call when it is aborted", {
    maxWorkers: 1,
    plan: { permissions: { write: [file] } },
  }, async (stage) => {
    Deno.writeTextFileSync(file, "");
    const call = stage.callWith({ timeout: 60_000 }, "spin", file);
    while (Deno.readTextFileSync(file) === "") await new Promise((resolve) => setTimeout(resolve, 5));
    stage.pool.abort();
    assert.deepEqual(await call, { status: "unstarted", reason: "stopping" });
    await stage.pool.shutdown();
    await stage.threads.spawned[0]!.ended;
    await assertStill(file);
  });
}

type Stage = Parameters<Parameters<PoolLaw>[2]>[0];

/** Brings the pool to two threads, and all entrypoints that are used here to short averages. */
async function twoThreadsWithShortCalls(stage: Stage): Promise<void> {
  const both = ["one", "two"].map((name) => stage.call("hold", name));
  const held = await Promise.all(["one", "two"].map((name) => stage.gate.arrival(name)));
  for (const each of held) each.release();
  await Promise.all(both);
  for (let round = 0; round < 40; round++) {
    await Promise.all([
      stage.call("sleepOrSpin", -1, 0, false),
      stage.call("echo", round),
      stage.call("chat", ""),
    ]);
  }
  await stage.call("say", "warm");
}

function assertRanOnce(records: Stage["records"], count: number): void {
  const ids = records.filter(({ message }) => message === "ran").map(({ properties }) => properties?.["id"]);
  assert.deepEqual(
    ids.toSorted((a, b) => Number(a) - Number(b)),
    Array.from({ length: count }, (_, id) => id),
  );
}

/** Nothing writes to the file any more; a write that was under way may take its time on a busy machine. */
async function assertStill(file: string): Promise<void> {
  for (let looks = 20; looks > 0; looks--) {
    const before = Deno.readTextFileSync(file);
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (Deno.readTextFileSync(file) === before) return;
  }
  assert.fail("the thread spins on");
}
