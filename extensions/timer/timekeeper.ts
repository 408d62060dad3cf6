/**
 * Keeps a schedule.
 *
 * Invariant: at most one tick runs, and every due time is covered by exactly one tick. It holds because the loop
 * waits for a tick before it looks for the next due time, and looks for it after the moment at which that tick
 * began: due times up to then were covered by it, and of those that came due while it ran the first one, now
 * overdue, stands for all. Nothing is added up, so there is no drift.
 */
import type { Schedule } from "./schedule.ts";

/** Options of {@linkcode keepSchedule}. */
export interface KeepScheduleOptions {
  /** When the instance began to count, by the schedule's clock. */
  readonly start: number;
  /** Must not reject. */
  readonly tick: () => Promise<void>;
  /** Ends it; a running tick is still waited for. */
  readonly signal: AbortSignal;
}

/** Milliseconds after which a wait is looked at again: clocks jump, machines sleep, and timers have a limit. */
const LONGEST_PAUSE = 30_000;

/** Ticks when ticks are due, until `signal` aborts or the schedule ends. */
export async function keepSchedule(
  schedule: Schedule,
  { start, tick, signal }: KeepScheduleOptions,
): Promise<void> {
  const { clock } = schedule;
  let due = schedule.eager ? clock.now() : schedule.next(clock.now(), start);
  while (due !== undefined && await reach(due, schedule, signal)) {
    const begun = Math.max(due, clock.now());
    await tick();
    due = schedule.next(begun, start);
  }
}

/** Waits for a time; resolves to false if `signal` aborts first. */
async function reach(time: number, { clock }: Schedule, signal: AbortSignal): Promise<boolean> {
  try {
    for (let left; (left = time - clock.now()) > 0;) {
      await clock.pause(Math.min(left, LONGEST_PAUSE), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}
