import assert from "node:assert/strict";
import type { PoolLaw } from "./pool.ts";
import { valueOf } from "./pool_stage.ts";

/** How a pool ends. */
export function poolEndingLaws(law: PoolLaw): void {
  law("drains when the last running and waiting call has its outcome", { maxWorkers: 1 }, async (stage) => {
    const calls = [stage.call("hold", "runs"), stage.call("echo", "waits")];
    const held = await stage.gate.arrival("runs");
    let drained = false;
    const draining = stage.pool.drain().then(() => drained = true);
    await stage.pool.run({ entrypoint: 0, body: "", contentType: undefined, headers: undefined });
    assert.equal(drained, false);
    held.release();
    assert.deepEqual((await Promise.all(calls)).map((outcome) => outcome.status), ["done", "done"]);
    await draining;
  });

  law("takes no call once it drains", { maxWorkers: 1 }, async (stage) => {
    await stage.pool.drain();
    assert.deepEqual(await stage.call("echo", 1), { status: "unstarted", reason: "stopping" });
  });

  law("drains at once when nothing runs", {}, async (stage) => {
    await stage.pool.drain();
    await stage.pool.drain();
    assert.equal(stage.pool.active, 0);
  });

  law("disposes providers once in each when it shuts down", { maxWorkers: 3 }, async (stage) => {
    const names = ["a", "b", "c"];
    const calls = names.map((name) => stage.call("hold", name));
    for (const held of await Promise.all(names.map((name) => stage.gate.arrival(name)))) held.release();
    await Promise.all(calls);
    await stage.pool.shutdown();
    await stage.pool.shutdown();
    assert.equal(stage.records.filter(({ message }) => message === "disposed").length, 3);
    await Promise.all(stage.threads.spawned.map((thread) => thread.ended));
    assert.equal(stage.pool.size, 0);
  });

  law("interrupts no thread when it shuts down", {}, async (stage) => {
    await stage.value("echo", 1);
    await stage.pool.shutdown();
    for (const reason of await Promise.all(stage.threads.spawned.map((thread) => thread.ended))) {
      assert.doesNotMatch(reason, /status (?!0)/);
    }
  });

  law("shuts down after the calls that run", { maxWorkers: 1 }, async (stage) => {
    const order: string[] = [];
    const call = stage.call("hold", "runs").then((outcome) => order.push(outcome.status));
    const held = await stage.gate.arrival("runs");
    const shutdown = stage.pool.shutdown().then(() => order.push("shut down"));
    void stage.logged("disposed").then(() => order.push("disposed"));
    held.release();
    await Promise.all([call, shutdown]);
    assert.deepEqual(order, ["done", "disposed", "shut down"]);
  });

  law("gives back running and waiting calls when it is aborted", { maxWorkers: 2 }, async (stage) => {
    const calls = ["a", "b", "c", "d"].map((name) => stage.call("hold", name));
    await Promise.all(["a", "b"].map((name) => stage.gate.arrival(name)));
    stage.pool.abort();
    for (const outcome of await Promise.all(calls)) {
      assert.deepEqual(outcome, { status: "unstarted", reason: "stopping" });
    }
    assert.equal(stage.pool.active, 0);
    assert.equal(stage.pool.queued, 0);
  });

  law("turns a polite end into an abrupt one when the signal aborts", { maxWorkers: 1 }, async (stage) => {
    const call = stage.call("hold", "runs");
    await stage.gate.arrival("runs");
    const controller = new AbortController();
    const shutdown = stage.pool.shutdown({ signal: controller.signal });
    controller.abort();
    assert.deepEqual(await call, { status: "unstarted", reason: "stopping" });
    await shutdown;
  });

  law("leaves nothing behind when it is aborted alone", { maxWorkers: 2 }, async (stage) => {
    assert.equal(valueOf(await stage.call("echo", 1)), 1);
    stage.pool.abort();
    assert.equal((await stage.call("echo", 1)).status, "unstarted");
  });
}
