import { equal, ok } from "node:assert/strict";
import { Demand } from "../../../runtime/pool/demand.ts";
import {
  COLD_PATIENCE,
  GROW_PATIENCE,
  type PoolView,
  QUEUE_PATIENCE,
  STARTING_LIMIT,
  threadsWanted,
} from "../../../runtime/pool/placement.ts";

/** A pool with as many threads as cores, whose short calls have waited for long. */
const OVERLOADED: PoolView = {
  size: Math.max(2, navigator.hardwareConcurrency),
  queued: 100,
  waited: 2 * QUEUE_PATIENCE,
  expected: 0.05,
  hasIdle: false,
  hasStuck: false,
  isCold: false,
  maxWorkers: 1_000,
};

Deno.test("short calls that wait behind threads that settle others get no more threads than cores", () => {
  equal(threadsWanted(OVERLOADED), 0);
  ok(threadsWanted({ ...OVERLOADED, size: 1 }) > 0);
});

Deno.test("short calls that wait behind a thread that settles nothing get further threads", () => {
  equal(threadsWanted({ ...OVERLOADED, hasStuck: true }), STARTING_LIMIT);
  equal(threadsWanted({ ...OVERLOADED, hasStuck: true, waited: QUEUE_PATIENCE / 2 }), 0);
});

Deno.test("long calls that wait get further threads, up to max_workers", () => {
  equal(threadsWanted({ ...OVERLOADED, expected: 50 }), STARTING_LIMIT);
  equal(threadsWanted({ ...OVERLOADED, expected: 50, maxWorkers: OVERLOADED.size }), 0);
});

Deno.test("while the code is cold, no thread starts for calls that have hardly waited", () => {
  const unknown: PoolView = { ...OVERLOADED, size: 1, waited: GROW_PATIENCE, expected: Infinity };
  equal(threadsWanted(unknown), STARTING_LIMIT);
  equal(threadsWanted({ ...unknown, isCold: true }), 0);
  equal(threadsWanted({ ...unknown, isCold: true, waited: COLD_PATIENCE }), STARTING_LIMIT);
  // It is for a long call, behind which none waits.
  equal(threadsWanted({ ...unknown, isCold: true, queued: 0, waited: 0 }), 1);
});

Deno.test("the code is cold until some calls have ended, and for a newer version that goes on for a former one", () => {
  const former = new Demand(10);
  equal(former.isCold, true);
  for (let call = 0; call < 100; call++) former.record(0, 1);
  equal(former.isCold, false);
  const newer = new Demand(10);
  newer.inherit(former);
  equal(newer.isCold, true);
});
