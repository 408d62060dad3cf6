import type { EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { tickEntrypoint, type TickOptions } from "./tick_options.ts";

/** An entrypoint that fires at times of the calendar. */
export type CronSpec = EntrypointSpec<"cron", []>;

/** Options of {@linkcode cron}. */
export interface CronOptions extends TickOptions {
  /** IANA name, such as `Europe/Berlin`. @default {the time zone of the machine} */
  readonly timezone?: string;
}

/**
 * Declares that a method is called at the times that a cron pattern describes, in each instance of the service.
 *
 * Five fields, or six with seconds first, or seven with years last; names, `L`, `W`, `#` and nicknames such as
 * `@daily` as croner reads them. A pattern that makes no sense, or an unknown time zone, is refused with a
 * `ConfigurationError` when the service starts. Ticks do not overlap, and those missed become one, as with
 * `timer`.
 *
 * Where the clock is put forward, a pattern with one fixed time of day fires when the gap ends, and others skip
 * the gap; where it is put back, a fixed time fires at its first occurrence only, and others at both.
 *
 * @throws {TypeError} If the pattern is no text, or `once` is anything but `"cluster"`.
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 *
 * @example
 * ```ts
 * entrypoints: { report: cron("30 6 * * MON-FRI", { timezone: "Europe/Berlin", once: "cluster" }) }
 * ```
 */
export function cron(pattern: string, { timezone, ...rest }: CronOptions = {}): CronSpec {
  if (typeof pattern !== "string" || pattern.trim() === "") {
    throw new TypeError(`Cannot declare a cron: the pattern must be a text, got ${JSON.stringify(pattern)}`);
  }
  return tickEntrypoint("cron", { pattern, ...(timezone !== undefined && { timezone }) }, rest);
}
