/**
 * Keeps a schedule.
 *
 * Invariant: at most one tick runs, and every due time is covered by exactly one tick. The invariant holds
 * because the loop waits for the end of a tick before it looks for the next due time, and because it looks
 * for the first due time after the moment at which that tick began. The tick covered all due times up to that
 * moment. If several due times passed while the tick ran, the loop takes the first one, which is now overdue,
 * and the next tick covers all of them. The loop does not add up intervals, so there is no drift.
 */
import { pause } from "../../runtime/waiting/abort.ts";
import type { Schedule } from "./schedule.ts";

/** Options of {@linkcode keepSchedule}. */
export interface KeepScheduleOptions {
  /** Time at which the instance began to count, by the schedule's time. */
  readonly start: number;
  /** Runs one tick. Must not reject. */
  readonly tick: () => Promise<void>;
  /** Ends the loop, which still waits for a running tick. */
  readonly signal: AbortSignal;
}

/** Runs each tick when it is due, until `signal` aborts or the schedule ends. */
export async function keepSchedule(
  schedule: Schedule,
  { start, tick, signal }: KeepScheduleOptions,
): Promise<void> {
  let due = schedule.eager ? schedule.now() : schedule.next(schedule.now(), start);
  while (due !== undefined && await reach(due, schedule, signal)) {
    const begun = Math.max(due, schedule.now());
    await tick();
    due = schedule.next(begun, start);
  }
}

/** Waits until a time is reached. Resolves to false if `signal` aborts first. */
async function reach(time: number, schedule: Schedule, signal: AbortSignal): Promise<boolean> {
  const { clock } = schedule;
  try {
    for (let left; (left = time - schedule.now()) > 0;) {
      await pause(Math.min(left, clock.longestWait), signal, clock);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}
