import assert from "node:assert/strict";
import { cronSchedule } from "../../../extensions/timer/cron_schedule.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { testClock } from "../../../extensions/testing/mod.ts";

/** The next times of a pattern, in the order of their coming. */
function times(pattern: string, timezone: string, from: string, count: number): string[] {
  const { next } = cronSchedule({ pattern, timezone, clock: testClock() });
  const found: string[] = [];
  for (let time: number | undefined = Date.parse(from); found.length < count;) {
    time = next(time, 0);
    if (time === undefined) break;
    found.push(new Date(time).toISOString().slice(0, 19));
  }
  return found;
}

Deno.test("cronSchedule() is due after the time asked with, never at it", () => {
  assert.deepEqual(times("*/5 * * * *", "UTC", "2026-01-01T00:05:00Z", 2), [
    "2026-01-01T00:10:00",
    "2026-01-01T00:15:00",
  ]);
  assert.deepEqual(times("* * * * *", "UTC", "2026-01-01T00:05:00.001Z", 1), ["2026-01-01T00:06:00"]);
});

Deno.test("cronSchedule() takes seconds as a sixth field", () => {
  assert.deepEqual(times("*/20 * * * * *", "UTC", "2026-01-01T00:00:50Z", 2), [
    "2026-01-01T00:01:00",
    "2026-01-01T00:01:20",
  ]);
});

Deno.test("cronSchedule() reads the pattern in its time zone", () => {
  assert.deepEqual(times("0 9 * * *", "Asia/Tokyo", "2026-01-01T00:00:00Z", 1), ["2026-01-02T00:00:00"]);
});

Deno.test("cronSchedule() fires a fixed time once where the clock is put forward, when the gap ends", () => {
  assert.deepEqual(times("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3), [
    "2026-03-28T01:30:00",
    "2026-03-29T01:00:00",
    "2026-03-30T00:30:00",
  ]);
});

Deno.test("cronSchedule() fires a fixed time once where the clock is put back", () => {
  assert.deepEqual(times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), [
    "2026-10-25T00:30:00",
    "2026-10-26T01:30:00",
  ]);
});

Deno.test("cronSchedule() fires every half hour through a change of the clock", () => {
  assert.deepEqual(times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3), [
    "2026-10-25T00:30:00",
    "2026-10-25T01:00:00",
    "2026-10-25T01:30:00",
  ]);
});

Deno.test("cronSchedule() is never due where the calendar has no such day", () => {
  assert.deepEqual(times("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", 1), []);
});

for (
  const [what, pattern, timezone, reason] of [
    ["no pattern", "now and then", undefined, /"now and then": .*fields|parts/],
    ["a minute that there is not", "61 * * * *", undefined, /"61 \* \* \* \*": Invalid value for minute/],
    ["a date", "2026-01-01T00:00:00", undefined, /"2026-01-01T00:00:00": it is a date/],
    ["an unknown time zone", "@daily", "Mars/Olympus", /"@daily": there is no time zone "Mars\/Olympus"/],
  ] as const
) {
  Deno.test(`cronSchedule() refuses ${what}, and names the pattern`, () => {
    assert.throws(() => cronSchedule({ pattern, timezone, clock: testClock() }), (error: Error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, reason);
      return true;
    });
  });
}
