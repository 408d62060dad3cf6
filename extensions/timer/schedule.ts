import type { Clock } from "../../runtime/waiting/clock.ts";

/**
 * Tells when ticks are due, in milliseconds of its time. A schedule has no state: the caller passes all that
 * matters.
 */
export interface Schedule {
  /** Whose time it is. */
  readonly clock: Clock;
  /** Its time: the steady time of the clock, or the time of day. */
  now(): number;
  /** Whether an instance ticks at once when it begins to keep the schedule. */
  readonly eager: boolean;
  /**
   * Returns the first due time after `time`, never `time` itself; undefined if there are no more due times.
   *
   * @param start Time at which the instance began to count.
   */
  next(time: number, start: number): number | undefined;
}

/** Makes a schedule that ticks at `start` plus 1, 2, 3, ... intervals, even if somebody changes the time of day. */
export function intervalSchedule(
  { interval, eager, clock }: {
    /** Milliseconds. */
    readonly interval: number;
    readonly eager: boolean;
    readonly clock: Clock;
  },
): Schedule {
  return {
    clock,
    now: () => clock.steady(),
    eager,
    next(time, start) {
      let tick = Math.floor((time - start) / interval) + 1;
      // If `time` is the due time of a tick, rounding may give a number below that of the tick.
      while (start + tick * interval <= time) tick++;
      return start + tick * interval;
    },
  };
}
