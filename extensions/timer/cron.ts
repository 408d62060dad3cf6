import type { EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { tickEntrypoint, type TickOptions } from "./tick_options.ts";

/** An entrypoint that fires at calendar times. */
export type CronSpec = EntrypointSpec<"cron", []>;

/** Options of {@linkcode cron}. */
export interface CronOptions extends TickOptions {
  /** IANA name of a time zone, such as `Europe/Berlin`. @default {the time zone of the machine} */
  readonly timezone?: string;
}

const OPTIONS: OptionNames<CronOptions> = {
  timezone: true,
  once: true,
  timeout: true,
  expected: true,
  priority: true,
};

/**
 * Declares that each instance of the service calls a method at the times that a cron pattern describes.
 *
 * A pattern has five fields, or six with seconds first, or seven with years last. Names, `L`, `W`, `#` and
 * nicknames such as `@daily` have the meaning that croner gives them. A service with an invalid pattern or an
 * unknown time zone does not start: its start throws a `ConfigurationError`. Ticks do not overlap, and missed
 * ticks become one tick, as with `timer`.
 *
 * When the clock is put forward, a pattern with one fixed time of day fires when the gap ends, and other
 * patterns skip the gap. When the clock is put back, a fixed time fires only at its first occurrence, and
 * other patterns fire at both.
 *
 * @throws {TypeError} If the pattern is not a text or is blank, `once` is anything but `"cluster"`, or an option is
 *   not known.
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 *
 * @example
 * ```ts
 * import { cron } from "@enoki/enoki";
 *
 * const entrypoints = { report: cron("30 6 * * MON-FRI", { timezone: "Europe/Berlin", once: "cluster" }) };
 * ```
 */
export function cron(pattern: string, { timezone, ...rest }: CronOptions = {}): CronSpec {
  if (typeof pattern !== "string" || pattern.trim() === "") {
    throw new TypeError(`Cannot declare a cron: the pattern must be a text, got ${JSON.stringify(pattern)}`);
  }
  requireKnown("Cannot declare a cron", "it", rest, OPTIONS);
  return tickEntrypoint("cron", { pattern, ...(timezone !== undefined && { timezone }) }, rest);
}
