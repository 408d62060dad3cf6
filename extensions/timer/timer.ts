import type { EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { tickEntrypoint, type TickOptions } from "./tick_options.ts";

/** An entrypoint that fires at an interval. */
export type TimerSpec = EntrypointSpec<"timer", []>;

/** Options of {@linkcode timer}. */
export interface TimerOptions extends TickOptions {
  /** Seconds between ticks; fractions are fine. */
  readonly interval: number;
  /** Whether the first tick comes at once instead of after one interval. @default {false} */
  readonly eager?: boolean;
}

/**
 * Declares that a method is called at an interval, in each instance of the service.
 *
 * Tick n is due n intervals after the start, however long the ticks take. A tick never overlaps the one before:
 * those that come due while it runs become one, which follows at once, and then the times are the old ones
 * again. A handler that throws is logged, and the next tick comes as planned.
 *
 * With `once: "cluster"` each instance keeps to its own times, counted from its own start, while it is the one
 * that ticks; with `eager` it ticks at once when it becomes that.
 *
 * @throws {RangeError} If `interval` is not a positive number of seconds, or `timeout` not one of milliseconds.
 * @throws {TypeError} If `once` is anything but `"cluster"`.
 *
 * @example
 * ```ts
 * entrypoints: { sweep: timer({ interval: 60, once: "cluster" }) }
 * ```
 */
export function timer({ interval, eager = false, ...rest }: TimerOptions): TimerSpec {
  if (!(interval > 0 && interval < Infinity)) {
    throw new RangeError(
      `Cannot declare a timer: interval must be a positive number of seconds, got ${interval}`,
    );
  }
  return tickEntrypoint("timer", { interval, eager }, rest);
}
