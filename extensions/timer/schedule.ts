import type { Clock } from "./clock.ts";

/** When ticks are due, in milliseconds of its clock. Has no state: it is asked with all that matters. */
export interface Schedule {
  readonly clock: Clock;
  /** Whether whoever begins to keep it ticks at once. */
  readonly eager: boolean;
  /**
   * The first due time after `time`, never equal to it; undefined where there is none any more.
   *
   * @param start When the instance began to count.
   */
  next(time: number, start: number): number | undefined;
}

/** Ticks at `start` plus 1, 2, 3, ... intervals. */
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
      // The quotient of a due time may be rounded to below its own number.
      while (start + tick * interval <= time) tick++;
      return start + tick * interval;
    },
  };
}
