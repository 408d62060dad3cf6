import { pause } from "../../runtime/waiting/abort.ts";

/** A clock that tells the time and waits. */
export interface Clock {
  /** Current time in milliseconds. Each clock chooses its own zero. */
  now(): number;
  /** Waits `duration` milliseconds or a little less. Rejects with the signal's reason once it aborts. */
  pause(duration: number, signal: AbortSignal): Promise<void>;
}

/** A clock that runs evenly, even if somebody changes the time of the machine. */
export const STEADY_CLOCK: Clock = { now: () => performance.now(), pause };

/** The time of day, counted from the epoch. This clock may jump. */
export const WALL_CLOCK: Clock = { now: () => Date.now(), pause };
