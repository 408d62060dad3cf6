import assert from "node:assert/strict";
import { Alarm } from "../../../extensions/memory/alarm.ts";

Deno.test("Alarm.pause() keeps what falls due for Alarm.resume()", async () => {
  const [alarm, witness] = [new Alarm(), new Alarm()];
  witness.resume();
  alarm.resume();
  const { promise: rung, resolve } = Promise.withResolvers<void>();
  let ringing = 0;
  alarm.set({ ring: () => (ringing++, resolve()) }, performance.now() + 5);
  alarm.pause();
  await ringAt(witness, performance.now() + 15);
  const early = ringing > 0;
  alarm.resume();
  await kept(rung);
  assert.deepEqual([early, ringing], [false, 1]);
});

Deno.test("Alarm.set() rings in the order of the deadlines, each once", async () => {
  const alarm = new Alarm();
  alarm.resume();
  const start = performance.now();
  const order: number[] = [];
  const all = [30, 10, 20].map((delay) =>
    new Promise<void>((resolve) => {
      alarm.set({ ring: () => (order.push(delay), resolve()) }, start + delay);
    })
  );
  await kept(Promise.all(all));
  assert.deepEqual(order, [10, 20, 30]);
});

Deno.test("Alarm.set() to Infinity takes the deadline away", async () => {
  const alarm = new Alarm();
  alarm.resume();
  let rung = false;
  const ringable = { ring: () => void (rung = true) };
  alarm.set(ringable, performance.now() + 5);
  alarm.set(ringable, Infinity);
  await ringAt(alarm, performance.now() + 15);
  assert.equal(rung, false);
});

function ringAt(alarm: Alarm, deadline: number): Promise<void> {
  return kept(new Promise((resolve) => alarm.set({ ring: () => resolve() }, deadline)));
}

/** Keeps the process alive until `promise` settles, which an alarm does not. */
async function kept<Value>(promise: Promise<Value>): Promise<Value> {
  const timer = setTimeout(() => {}, 10_000);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
