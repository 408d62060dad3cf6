import { pause } from "../../runtime/waiting/abort.ts";

/** What tells the time, and wakes. */
export interface Clock {
  /** Milliseconds, since whenever. */
  now(): number;
  /** Waits some milliseconds, perhaps a little less; rejects with the signal's reason once it aborts. */
  pause(duration: number, signal: AbortSignal): Promise<void>;
}

/** Goes on evenly, whatever is done to the clock of the machine. */
export const STEADY_CLOCK: Clock = { now: () => performance.now(), pause };

/** The time of day, since the epoch; may jump. */
export const WALL_CLOCK: Clock = { now: () => Date.now(), pause };
