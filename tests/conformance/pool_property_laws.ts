import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { PoolLaw } from "./pool.ts";

const CALLS = 1_000;

/** What holds for whatever calls and losses come along. */
export function poolPropertyLaws(law: PoolLaw, { threads }: { readonly threads: boolean }): void {
  for (const seed of [1, 20_26]) {
    law(`give ${CALLS} random calls one outcome each while some die (seed ${seed})`, {
      maxWorkers: 4,
      killGrace: 10,
    }, async (stage) => {
      const random = generator(seed);
      const outcomes = await Promise.all(
        Array.from({ length: CALLS }, async (_, id) => {
          await turns(Math.floor(random() * 200));
          const chance = random();
          if (chance < 0.005) {
            stage.threads.spawned[Math.floor(random() * stage.threads.spawned.length)]!.kill();
          }
          if (threads && chance > 0.995) return await stage.call("die", id);
          const duration = chance < 0.05 ? random() * 40 : chance < 0.2 ? random() * 2 : 0;
          return await stage.call("sleepOrSpin", id, duration, random() < 0.5);
        }),
      );
      const runs = new Map<unknown, number>();
      for (const { message, properties } of stage.records) {
        if (message === "ran") runs.set(properties?.["id"], (runs.get(properties?.["id"]) ?? 0) + 1);
      }
      assert.equal(outcomes.length, CALLS);
      for (const [id, outcome] of outcomes.entries()) {
        const ran = runs.get(id) ?? 0;
        if (outcome.status === "done") {
          assert.equal(outcome.body, String(id));
          assert.equal(ran, 1, `call ${id} ran ${ran} times`);
        } else {
          assert.equal(outcome.status, "failed", Deno.inspect(outcome));
          assert.equal(outcome.status === "failed" && outcome.failure.code, "WORKER_LOST");
          assert.ok(ran <= 1, `call ${id} ran ${ran} times`);
        }
      }
      const done = outcomes.filter(({ status }) => status === "done").length;
      assert.ok(done > CALLS * 0.8, `only ${done} calls were done`);
      assert.equal(stage.pool.active, 0);
      assert.equal(stage.pool.queued, 0);
    });
  }
}

/** Lets the event loop turn. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
