import assert from "node:assert/strict";
import { within } from "../../runtime/waiting/abort.ts";
import type { PoolLaw } from "./pool.ts";
import { valueOf } from "./pool_stage.ts";

/** How calls are shared out among threads. */
export function poolSharingLaws(law: PoolLaw, { threads }: { readonly threads: boolean }): void {
  law("starts no more of them than calls ask for, and uses them again", { maxWorkers: 3 }, async (stage) => {
    const first = await stage.value("whoami");
    assert.equal(await stage.value("whoami"), first);
    assert.equal(await stage.value("whoami"), first);
    assert.ok(
      stage.threads.spawned.length <= 2,
      `${stage.threads.spawned.length} threads for one call at a time`,
    );
  });

  law("has a spare one while its first call is long", { maxWorkers: 2 }, async (stage) => {
    const spawned = new Promise<void>((resolve) => stage.threads.onSpawn = resolve);
    const call = stage.call("hold", "a");
    const held = await stage.gate.arrival("a");
    assert.ok(await within(5_000, spawned));
    held.release();
    await call;
  });

  law("grows up to maxWorkers while calls are long, and no further", { maxWorkers: 3 }, async (stage) => {
    const names = ["a", "b", "c", "d", "e"];
    const calls = names.map((name) => stage.call("hold", name));
    const held = await Promise.all(["a", "b", "c"].map((name) => stage.gate.arrival(name)));
    assert.equal(stage.pool.size, 3);
    assert.equal(stage.pool.active, 3);
    assert.equal(stage.pool.queued, 2);
    stage.gate.open("d", "e");
    for (const each of held) each.release();
    const identities = new Set((await Promise.all(calls)).map(valueOf));
    assert.equal(identities.size, 3);
    assert.equal(stage.threads.spawned.length, 3);
  });

  law("starts only a few of them at the same time", { maxWorkers: 8, minWorkers: 3 }, async (stage) => {
    assert.equal(stage.pool.size, 3);
    const names = Array.from({ length: 8 }, (_, index) => `call ${index}`);
    const calls = names.map((name) => stage.call("hold", name));
    await stage.gate.arrival("call 3");
    const { length } = stage.threads.spawned;
    assert.ok(length < 8, `${length} threads when the first new one runs a call`);
    for (const name of names) (await stage.gate.arrival(name)).release();
    await Promise.all(calls);
  });

  law("report that all of them wait for other calls", { maxWorkers: 2 }, async (stage) => {
    const calls = ["a", "b", "c"].map((name) => stage.call("hold", name));
    const held = await Promise.all(["a", "b"].map((name) => stage.gate.arrival(name)));
    await stage.logged(/^All 2 threads wait for answers of other calls while 1 calls? waits? for a thread/);
    stage.gate.open("c");
    for (const each of held) each.release();
    await Promise.all(calls);
  });

  law("runs one call at a time in each", { maxWorkers: 1 }, async (stage) => {
    const names = ["a", "b", "c", "d"];
    stage.gate.open(...names);
    const calls = names.map((name) => stage.value("holdAll", name));
    assert.deepEqual(await Promise.all(calls), [1, 1, 1, 1]);
  });

  law(
    "runs as many calls at a time in each as concurrency says",
    { maxWorkers: 1, concurrency: 3 },
    async (stage) => {
      const calls = ["a", "b", "c", "d"].map((name) => stage.value("holdAll", name));
      const held = await Promise.all(["a", "b", "c"].map((name) => stage.gate.arrival(name)));
      stage.gate.open("d");
      for (const each of held) each.release();
      assert.equal(Math.max(...(await Promise.all(calls)).map(Number)), 3);
    },
  );

  law("answers calls that wait in the order in which they came", { maxWorkers: 1 }, async (stage) => {
    const answers: unknown[] = [];
    const blocked = stage.call("hold", "first");
    const held = await stage.gate.arrival("first");
    const calls = Array.from(
      { length: 50 },
      (_, index) => stage.value("echo", index).then((value) => answers.push(value)),
    );
    held.release();
    await Promise.all([blocked, ...calls]);
    assert.deepEqual(answers, Array.from({ length: 50 }, (_, index) => index));
  });

  law("gives back what waits when it sheds, and nothing that runs", { maxWorkers: 1 }, async (stage) => {
    const running = stage.call("hold", "runs");
    const held = await stage.gate.arrival("runs");
    const waiting = stage.call("echo", 1);
    stage.pool.shed();
    assert.deepEqual(await waiting, { status: "unstarted", reason: "shed" });
    held.release();
    assert.equal((await running).status, "done");
  });

  law(
    "retires those above minWorkers after idleTimeout",
    { maxWorkers: 3, idleTimeout: 50 },
    async (stage) => {
      const names = ["a", "b", "c"];
      const calls = names.map((name) => stage.call("hold", name));
      const held = await Promise.all(names.map((name) => stage.gate.arrival(name)));
      for (const each of held) each.release();
      await Promise.all(calls);
      let ended = 0;
      const twoEnded = Promise.withResolvers<void>();
      for (const thread of stage.threads.spawned) {
        void thread.ended.then(() => ++ended === 2 && twoEnded.resolve());
      }
      await twoEnded.promise;
      assert.equal(stage.pool.size, 1);
      assert.equal(stage.records.filter(({ message }) => message === "disposed").length, 2);
      assert.equal(await stage.value("echo", "still here"), "still here");
    },
  );

  law("keeps one that had nothing to do for longer than stallTimeout", {
    maxWorkers: 1,
    stallTimeout: 1_500,
  }, async (stage) => {
    const before = await stage.value("whoami");
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    assert.equal(await stage.value("nap", 1_200), null);
    assert.equal(await stage.value("whoami"), before);
  });

  law("keeps one whose call waits for longer than stallTimeout", {
    maxWorkers: 1,
    stallTimeout: 1_500,
  }, async (stage) => {
    const before = await stage.value("whoami");
    assert.equal(await stage.value("nap", 3_500), null);
    assert.equal(await stage.value("whoami"), before);
  });

  if (!threads) return;
  law("ends one that gives no sign of life for stallTimeout", {
    maxWorkers: 1,
    stallTimeout: 1_500,
  }, async (stage) => {
    const outcome = await stage.call("sleepOrSpin", 1, 6_000, false);
    assert.equal(outcome.status, "failed");
    assert.equal(await stage.value("echo", "next"), "next");
  });
}
