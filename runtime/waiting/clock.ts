/**
 * What tells the time, and wakes when it has come.
 *
 * Whatever lets the time decide what a service does asks a clock: timers, delays, expirations, time limits of calls,
 * rates. So a test can move the time of its services by a clock of its own. What measures, logs or watches over the
 * machine (sockets, threads, the end of the process) asks the machine itself.
 */

/** Names a timer of a clock. */
export type TimerName = number | ReturnType<typeof setTimeout>;

/** A clock. */
export interface Clock {
  /** Time of day in milliseconds since the epoch. It may jump. */
  now(): number;
  /** Milliseconds that pass evenly, for durations. Each clock chooses its own zero. */
  steady(): number;
  /**
   * Calls `wake` once, when at least `delay` milliseconds have passed.
   *
   * @param delay At most {@linkcode LONGEST_TIMER}.
   * @param keepsAlive Whether the process stays alive for it. @default {true}
   * @returns Names the timer for {@linkcode Clock.clearTimer}.
   */
  setTimer(wake: () => void, delay: number, keepsAlive?: boolean): TimerName;
  /** Ends a timer. Does nothing if it has ended, or if there is none. */
  clearTimer(timer: TimerName | undefined): void;
  /** Milliseconds after which a wait for a time of day must look again, because the time of day may have jumped. */
  readonly longestWait: number;
  /**
   * Says that work has begun, which ends when `work` settles. A clock that somebody moves waits for it before it goes
   * on. A clock without this method goes on by itself.
   *
   * @returns The same promise.
   */
  during?<Value>(work: Promise<Value>): Promise<Value>;
}

/** Longest time that a timer can wait, in milliseconds. A timer that is set to more fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** The clock of the machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  setTimer(wake, delay, keepsAlive = true) {
    const timer = setTimeout(wake, delay);
    if (!keepsAlive) Deno.unrefTimer(timer);
    return timer;
  },
  clearTimer: (timer) => clearTimeout(timer),
  longestWait: 30_000,
};
