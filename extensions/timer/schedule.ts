import type { Clock } from "./clock.ts";

/**
 * Tells when ticks are due, in milliseconds of its clock. A schedule has no state: the caller passes all that
 * matters.
 */
export interface Schedule {
  readonly clock: Clock;
  /** Whether an instance ticks at once when it begins to keep the schedule. */
  readonly eager: boolean;
  /**
   * Returns the first due time after `time`, never `time` itself; undefined if there are no more due times.
   *
   * @param start Time at which the instance began to count.
   */
  next(time: number, start: number): number | undefined;
}

/** Makes a schedule that ticks at `start` plus 1, 2, 3, ... intervals. */
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
    eager,
    next(time, start) {
      let tick = Math.floor((time - start) / interval) + 1;
      // If `time` is the due time of a tick, rounding may give a number below that of the tick.
      while (start + tick * interval <= time) tick++;
      return start + tick * interval;
    },
  };
}
