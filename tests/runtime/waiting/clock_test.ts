import { ok, rejects, strictEqual } from "node:assert/strict";
import { testClock } from "../../../extensions/testing/mod.ts";
import { pause, timeLimit } from "../../../runtime/waiting/abort.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import { TokenBucket } from "../../../runtime/waiting/token_bucket.ts";
import { WakeTimer } from "../../../runtime/waiting/wake_timer.ts";

Deno.test("the clock of the machine wakes after the delay, and not when the timer was cleared", async () => {
  const start = SYSTEM_CLOCK.steady();
  const cleared = SYSTEM_CLOCK.setTimer(() => ok(false, "it woke"), 5);
  SYSTEM_CLOCK.clearTimer(cleared);
  await new Promise<void>((resolve) => SYSTEM_CLOCK.setTimer(resolve, 10));
  ok(SYSTEM_CLOCK.steady() - start >= 9);
});

Deno.test("pause() waits by its clock, and leaves no timer there when its signal aborts", async () => {
  const clock = testClock();
  const controller = new AbortController();
  const [long, short] = [pause(60_000, controller.signal, clock), pause(1_000, undefined, clock)];
  strictEqual(clock.timers, 2);
  await clock.advance(1_000);
  await short;
  controller.abort(new Error("enough"));
  await rejects(long, /enough/);
  strictEqual(clock.timers, 0);
});

Deno.test("timeLimit() aborts by its clock, and leaves no timer there once it is disposed", async () => {
  const clock = testClock();
  {
    using limit = timeLimit(1_000, undefined, clock);
    await clock.advance(999);
    strictEqual(limit.signal.aborted, false);
    await clock.advance(1);
    strictEqual((limit.signal.reason as Error).name, "TimeoutError");
    using _other = timeLimit(1_000, undefined, clock);
  }
  strictEqual(clock.timers, 0);
});

Deno.test("WakeTimer wakes at the exact time of its clock, and leaves no timer there once it is closed", async () => {
  const clock = testClock();
  const woken: number[] = [];
  const timer = new WakeTimer(() => woken.push(clock.steady()), { clock });
  timer.by(86_400_000);
  await clock.advance(86_399_999);
  strictEqual(woken.length, 0);
  await clock.advance("1h");
  strictEqual(woken[0], 86_400_000);
  timer.by(clock.steady() + 1);
  timer.close();
  strictEqual(clock.timers, 0);
});

Deno.test("TokenBucket gets its tokens back by its clock", async () => {
  const clock = testClock();
  const bucket = new TokenBucket({ perSecond: 1 }, clock);
  ok(bucket.take());
  ok(!bucket.take());
  strictEqual(bucket.wait(), 1_000);
  await clock.advance(1_000);
  ok(bucket.take());
});
