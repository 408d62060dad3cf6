import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { PendingMap } from "../../../runtime/waiting/pending_map.ts";

Deno.test("a pending map has the entries that a map has", () => {
  const [pending, map] = [new PendingMap<number, number>(), new Map<number, number>()];
  for (let step = 0; step < 10_000; step++) {
    const key = (step * 7_919) % 1_500;
    if (step % 3 === 0) strictEqual(pending.delete(key), map.delete(key));
    else {
      pending.set(key, step);
      map.set(key, step);
    }
    strictEqual(pending.size, map.size);
    strictEqual(pending.get(key), map.get(key));
  }
  deepStrictEqual([...pending], [...map]);
  deepStrictEqual([...pending.keys()], [...map.keys()]);
  deepStrictEqual([...pending.values()], [...map.values()]);
});

Deno.test("a pending map has no entries after clear()", () => {
  const pending = new PendingMap<number, number>();
  pending.set(1, 2);
  pending.clear();
  strictEqual(pending.size, 0);
  strictEqual(pending.get(1), undefined);
});

Deno.test("a loop over a pending map may remove entries", () => {
  const pending = new PendingMap<number, string>();
  for (let key = 0; key < 2_000; key++) pending.set(key, "here");
  for (const [key] of pending) if (key % 2 === 0) pending.delete(key);
  strictEqual(pending.size, 1_000);
});

Deno.test("a pending map keeps nothing of the entries that have left it, though it is old itself", () => {
  const pending = new PendingMap<number, number[]>();
  for (let key = 0; key < 64; key++) pending.set(key, []);
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const before = Deno.memoryUsage().heapUsed;
  let most = 0;
  // A plain map keeps some 300 MB here, until the next full collection.
  for (let key = 64; key < 600_000; key++) {
    pending.set(key, new Array(100).fill(key));
    pending.delete(key - 64);
    if (key % 1_000 === 0) most = Math.max(most, Deno.memoryUsage().heapUsed - before);
  }
  ok(most < 30e6, `the heap grew by ${most} bytes`);
});
