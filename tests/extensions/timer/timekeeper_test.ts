import assert from "node:assert/strict";
import { cronSchedule } from "../../../extensions/timer/cron_schedule.ts";
import { intervalSchedule, type Schedule } from "../../../extensions/timer/schedule.ts";
import { testClock } from "../../../extensions/testing/mod.ts";
import { keepSchedule } from "../../../extensions/timer/timekeeper.ts";
import { type Clock, LONGEST_TIMER, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

/** Keeps a schedule, and notes when its ticks begin; `work` is what a tick does. */
class Keeping implements AsyncDisposable {
  readonly ticks: number[] = [];
  readonly #stopping = new AbortController();
  readonly #kept: Promise<void>;
  ended = false;

  constructor(schedule: Schedule, work: (tick: number) => Promise<void> = async () => {}) {
    const tick = async () => await work(this.ticks.push(schedule.now()));
    const { signal } = this.#stopping;
    this.#kept = keepSchedule(schedule, { start: schedule.now(), tick, signal }).finally(() =>
      this.ended = true
    );
  }

  stop(): void {
    this.#stopping.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#kept;
  }
}

function every(interval: number, { eager = false } = {}) {
  const clock = testClock({ start: 0 });
  return { clock, schedule: intervalSchedule({ interval, eager, clock }) };
}

Deno.test("keepSchedule() ticks at start + n intervals", async () => {
  const { clock, schedule } = every(100);
  await using keeping = new Keeping(schedule);
  await clock.advanceTo(350);
  assert.deepEqual(keeping.ticks, [100, 200, 300]);
});

Deno.test("keepSchedule() ticks at once as well when eager", async () => {
  const { clock, schedule } = every(100, { eager: true });
  await using keeping = new Keeping(schedule);
  await clock.advanceTo(250);
  assert.deepEqual(keeping.ticks, [0, 100, 200]);
});

Deno.test("keepSchedule() makes one tick of those that were missed, then is back on the grid", async () => {
  const { clock, schedule } = every(100);
  const slow = Promise.withResolvers<void>();
  await using keeping = new Keeping(schedule, (tick) => tick === 2 ? slow.promise : Promise.resolve());
  await clock.advanceTo(570);
  assert.deepEqual(keeping.ticks, [100, 200]);
  slow.resolve();
  await clock.advanceTo(710);
  assert.deepEqual(keeping.ticks, [100, 200, 570, 600, 700]);
});

Deno.test("keepSchedule() misses nothing when a tick ends before the next is due", async () => {
  const { clock, schedule } = every(100);
  const slow = Promise.withResolvers<void>();
  await using keeping = new Keeping(schedule, (tick) => tick === 1 ? slow.promise : Promise.resolve());
  await clock.advanceTo(199);
  slow.resolve();
  await clock.advanceTo(300);
  assert.deepEqual(keeping.ticks, [100, 200, 300]);
});

Deno.test("keepSchedule() waits for a running tick when it is stopped, and ticks no more", async () => {
  const { clock, schedule } = every(100);
  const slow = Promise.withResolvers<void>();
  await using keeping = new Keeping(schedule, () => slow.promise);
  await clock.advanceTo(150);
  keeping.stop();
  await clock.advanceTo(500);
  assert.equal(keeping.ended, false);
  slow.resolve();
  await clock.advanceTo(500);
  assert.deepEqual([keeping.ended, keeping.ticks], [true, [100]]);
});

Deno.test("keepSchedule() ends at once when it is stopped between ticks", async () => {
  const { clock, schedule } = every(100);
  await using keeping = new Keeping(schedule);
  await clock.advanceTo(150);
  keeping.stop();
  await clock.advanceTo(150);
  assert.equal(keeping.ended, true);
});

Deno.test("keepSchedule() looks at the time again before a timer of the system or a jump could deceive it", async () => {
  const month = 2_592_000_000;
  const clock = testClock();
  const waits: number[] = [];
  const jumping: Clock = {
    now: () => clock.now(),
    steady: () => clock.steady(),
    clearTimer: (timer) => clock.clearTimer(timer),
    longestWait: SYSTEM_CLOCK.longestWait,
    setTimer(wake, delay) {
      waits.push(delay);
      return clock.setTimer(wake, delay);
    },
  };
  await using keeping = new Keeping(intervalSchedule({ interval: month, eager: false, clock: jumping }));
  await clock.advance(100_000);
  assert.ok(waits.length > 1 && waits.every((wait) => wait <= 60_000 && wait < LONGEST_TIMER), `${waits}`);
  assert.deepEqual(keeping.ticks, []);
});

Deno.test("keepSchedule() ticks by cron when a minute begins", async () => {
  const clock = testClock({ start: "2026-01-01T00:03:58Z" });
  await using keeping = new Keeping(cronSchedule({ pattern: "*/5 * * * *", timezone: "UTC", clock }));
  await clock.advanceTo("2026-01-01T00:04:59.999Z");
  assert.deepEqual(keeping.ticks, []);
  await clock.advanceTo("2026-01-01T00:10:01Z");
  assert.deepEqual(keeping.ticks.map((time) => new Date(time).toISOString()), [
    "2026-01-01T00:05:00.000Z",
    "2026-01-01T00:10:00.000Z",
  ]);
});

Deno.test("keepSchedule() ticks by cron once for a night that is put forward", async () => {
  const clock = testClock({ start: "2026-03-29T00:50:00Z" });
  const timezone = "Europe/Berlin";
  await using keeping = new Keeping(cronSchedule({ pattern: "30 2 * * *", timezone, clock }));
  await clock.advanceTo("2026-03-29T01:40:00Z");
  assert.deepEqual(keeping.ticks.map((time) => new Date(time).toISOString()), ["2026-03-29T01:00:00.000Z"]);
});

Deno.test("keepSchedule() ends where a schedule has no further tick", async () => {
  const clock = testClock({ start: "2026-01-01T23:55:00Z" });
  await using keeping = new Keeping(cronSchedule({ pattern: "0 0 0 2 1 * 2026", timezone: "UTC", clock }));
  await clock.advanceTo("2026-01-02T00:10:00Z");
  assert.deepEqual([keeping.ended, keeping.ticks.length], [true, 1]);
});

Deno.test("keepSchedule() keeps to the grid of its start on the real clock", async () => {
  const schedule = intervalSchedule({ interval: 20, eager: false, clock: SYSTEM_CLOCK });
  const start = performance.now();
  const done = Promise.withResolvers<void>();
  await using keeping = new Keeping(schedule, (tick) => {
    if (tick === 5) done.resolve();
    return Promise.resolve();
  });
  await done.promise;
  const offsets = keeping.ticks.map((time) => time - start);
  for (const [index, offset] of offsets.entries()) {
    assert.ok(offset >= (index + 1) * 20, `tick ${index + 1} came at ${offset} ms`);
  }
});
