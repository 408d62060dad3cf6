import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { testClock } from "../../../extensions/testing/mod.ts";

Deno.test("testClock() shows its start until it is moved, and then exactly that much more", async () => {
  const clock = testClock({ start: "2030-01-01T00:00:00Z" });
  const steady = clock.steady();
  strictEqual(clock.now(), Date.UTC(2030, 0, 1));
  await clock.advance("90s");
  await clock.advance(500);
  strictEqual(clock.now(), Date.UTC(2030, 0, 1, 0, 1, 30, 500));
  strictEqual(clock.steady() - steady, 90_500);
  await clock.advanceTo(new Date("2030-02-01T00:00:00Z"));
  strictEqual(clock.now(), Date.UTC(2030, 1, 1));
});

Deno.test("testClock() is moved by each text that says a time", async () => {
  const clock = testClock({ start: 0 });
  for (const text of ["500ms", "1m30s", "1d", "1D"]) await clock.advance(text);
  strictEqual(clock.now(), 500 + 90_000 + 2 * 86_400_000);
});

Deno.test("testClock() wakes in the order of time, each at its own, and those of one time in the order of setting", async () => {
  const clock = testClock({ start: 0 });
  const woken: [string, number][] = [];
  const set = (name: string, delay: number) => clock.setTimer(() => woken.push([name, clock.now()]), delay);
  set("late", 2_000);
  set("first", 1_000);
  set("second", 1_000);
  set("never", 3_001);
  clock.clearTimer(set("cleared", 1_500));
  await clock.advance(3_000);
  deepStrictEqual(woken, [["first", 1_000], ["second", 1_000], ["late", 2_000]]);
  strictEqual(clock.timers, 1);
});

Deno.test("testClock() wakes at the end of a move, too, and what is set on the way if it falls due", async () => {
  const clock = testClock({ start: 0 });
  const woken: number[] = [];
  const again = () => {
    woken.push(clock.now());
    clock.setTimer(again, 400);
  };
  clock.setTimer(again, 200);
  await clock.advance(1_000);
  deepStrictEqual(woken, [200, 600, 1_000]);
});

Deno.test("testClock() never wakes before a time that no whole number of milliseconds says", async () => {
  const clock = testClock();
  const due = clock.steady() + 0.1 + 0.2;
  let woken = -Infinity;
  clock.setTimer(() => woken = clock.steady(), due - clock.steady());
  await clock.advance(1);
  ok(woken >= due);
});

Deno.test("testClock() wakes what is due at once without a move, in a later turn", async () => {
  const clock = testClock();
  const woken = Promise.withResolvers<void>();
  let isLater = false;
  clock.setTimer(() => isLater ? woken.resolve() : woken.reject(new Error("in the same turn")), 0);
  isLater = true;
  await woken.promise;
});

Deno.test("testClock() lets the work that a timer starts settle before it goes on", async () => {
  const clock = testClock({ start: 0 });
  const steps: string[] = [];
  clock.setTimer(() => {
    void clock.during!((async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      steps.push(`worked until ${clock.now()}`);
    })());
  }, 1_000);
  clock.setTimer(() => steps.push("next"), 1_001);
  await clock.advance(5_000);
  deepStrictEqual(steps, ["worked until 1000", "next"]);
});

Deno.test("testClock() waits no longer than its patience for work that waits for the time", async () => {
  const clock = testClock({ patience: 10 });
  let end = 0;
  const work = clock.during!(
    new Promise<void>((resolve) =>
      clock.setTimer(() => {
        end = clock.now();
        resolve();
      }, 60_000)
    ),
  );
  const start = clock.now();
  await clock.advance("1h");
  await work;
  strictEqual(end - start, 60_000);
});

Deno.test("moves of a testClock() take place one after the other", async () => {
  const clock = testClock({ start: 0 });
  await Promise.all([clock.advance(1_000), clock.advance(500), clock.advanceTo(2_000)]);
  strictEqual(clock.now(), 2_000);
});

Deno.test("testClock() refuses what is no time, what lies behind it, and options that it does not know", async () => {
  const clock = testClock({ start: "2030-01-01T00:00:00Z" });
  await rejects(clock.advance("1 hour"), {
    name: "TypeError",
    message:
      'Cannot move the clock by "1 hour": pass milliseconds, or a text such as "500ms", "30s", "5m", "2h", "1d" or "1m30s"',
  });
  await rejects(clock.advance(-1), RangeError);
  await rejects(clock.advance(Infinity), RangeError);
  await rejects(clock.advanceTo("2029-12-31T00:00:00Z"), {
    name: "RangeError",
    message:
      "Cannot move the clock to 2029-12-31T00:00:00.000Z: it shows 2030-01-01T00:00:00.000Z, and never goes back",
  });
  await rejects(clock.advanceTo("tomorrow"), /"tomorrow" is no time/);
  throws(() => testClock({ start: "soon" }), RangeError);
  throws(() => testClock({ patience: -1 }), RangeError);
  throws(() => testClock({ begin: 0 } as never), TypeError);
  strictEqual(clock.now(), Date.UTC(2030, 0, 1));
});
