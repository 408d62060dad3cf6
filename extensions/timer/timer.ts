import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import type { EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { tickEntrypoint, type TickOptions } from "./tick_options.ts";

/** An entrypoint that fires at an interval. */
export type TimerSpec = EntrypointSpec<"timer", []>;

/** Options of {@linkcode timer}. */
export interface TimerOptions extends TickOptions {
  /** Seconds between two ticks, or a text such as `"1m30s"`. Fractions are allowed. */
  readonly interval: Duration;
  /** Whether the first tick comes at once instead of after one interval. @default {false} */
  readonly eager?: boolean;
}

const OPTIONS: OptionNames<TimerOptions> = {
  interval: true,
  eager: true,
  once: true,
  timeout: true,
  expected: true,
  priority: true,
};

/**
 * Declares that each instance of the service calls a method at an interval.
 *
 * Tick n is due n intervals after the start, no matter how long the ticks take. A tick never overlaps the
 * tick before it: all ticks that come due while a tick runs become one tick, which follows at once. After
 * that, ticks come at the planned times again. If a handler throws, the runtime logs the error, and the next
 * tick comes as planned.
 *
 * With `once: "cluster"` the instance that ticks keeps to its own times, counted from its own start. With
 * `eager` an instance also ticks at once when it becomes the one that ticks.
 *
 * @throws {RangeError} If `interval` is not a positive number of seconds, or `timeout` is not a positive
 *   number of milliseconds.
 * @throws {TypeError} If `once` is anything but `"cluster"`, or an option is not known.
 *
 * @example
 * ```ts
 * import { timer } from "@enoki/enoki";
 *
 * const entrypoints = { sweep: timer({ interval: 60, once: "cluster" }) };
 * ```
 */
export function timer({ interval, eager = false, ...rest }: TimerOptions): TimerSpec {
  requireKnown("Cannot declare a timer", "it", rest, OPTIONS);
  const seconds = millisecondsOf(interval, 1_000) / 1_000;
  if (!(seconds > 0 && seconds < Infinity)) {
    throw new RangeError(
      `Cannot declare a timer: interval must be a positive number of seconds, ${OR_TEXT}, got ${
        shownDuration(interval)
      }`,
    );
  }
  return tickEntrypoint("timer", { interval: seconds, eager }, rest);
}
