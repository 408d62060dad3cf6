import assert from "node:assert/strict";
import { intervalSchedule } from "../../../extensions/timer/schedule.ts";
import { testClock } from "../../../extensions/testing/mod.ts";

const every = (interval: number) => intervalSchedule({ interval, eager: false, clock: testClock() });

Deno.test("intervalSchedule() is due one interval after the start, and not at it", () => {
  assert.equal(every(100).next(1_000, 1_000), 1_100);
});

Deno.test("intervalSchedule() is due on the grid of its start, wherever it is asked", () => {
  const { next } = every(100);
  assert.deepEqual([1_030, 1_199.9, 1_200, 1_250].map((time) => next(time, 1_030)), [
    1_130,
    1_230,
    1_230,
    1_330,
  ]);
});

Deno.test("intervalSchedule() never answers with the time that it was asked with", () => {
  for (const start of [0, 0.1, 123_456.789]) {
    for (const interval of [0.1, 1 / 3, 7.7, 100.1]) {
      const { next } = every(interval);
      let time = start;
      for (let tick = 1; tick <= 1_000; tick++) {
        const due = next(time, start)!;
        assert.ok(due > time, `${due} after ${time}, from ${start} every ${interval}`);
        time = due;
      }
      assert.ok(Math.abs(time - (start + 1_000 * interval)) < interval / 2, `${time} drifted from ${start}`);
    }
  }
});
