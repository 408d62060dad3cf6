import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { LONGEST_TIMER } from "../../../runtime/waiting/abort.ts";
import { WakeTimer } from "../../../runtime/waiting/wake_timer.ts";

Deno.test("WakeTimer wakes once, at the earliest of its times", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const start = performance.now();
  let wakes = 0;
  const timer = new WakeTimer(() => (wakes++, resolve()));
  timer.by(start + 60_000);
  timer.by(start + 10);
  timer.by(start + 30_000);
  await promise;
  deepStrictEqual([wakes, timer.isSet], [1, false]);
  ok(performance.now() - start < 5_000);
});

Deno.test("WakeTimer does not wake before a time that is further away than a timer can wait", async () => {
  let wakes = 0;
  const timer = new WakeTimer(() => wakes++);
  timer.by(performance.now() + 2 * LONGEST_TIMER);
  // A timer that overflows fires in the next turns of the event loop.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  strictEqual(wakes, 0);
  timer.close();
});

Deno.test("WakeTimer.close() wakes nobody any more", async () => {
  let wakes = 0;
  const timer = new WakeTimer(() => wakes++);
  timer.by(performance.now() + 1);
  timer.close();
  timer.by(performance.now());
  await new Promise((resolve) => setTimeout(resolve, 5));
  strictEqual(wakes, 0);
});
