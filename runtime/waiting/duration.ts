/**
 * Durations as people write them: numbers, and texts that name their units.
 *
 * What a bare number counts is for the place to say: milliseconds in TypeScript, seconds in the configuration.
 */

/**
 * A time that something takes: a number, or a text with units, the largest first, such as `"500ms"`, `"30s"`, `"5m"`,
 * `"2h"`, `"1d"` or `"1m30s"`.
 *
 * @example
 * ```ts ignore
 * import { client } from "@enoki/enoki";
 *
 * client<typeof payments>("payments", { timeout: "2s" })
 * ```
 */
export type Duration =
  | number
  | `${number}${"ms" | "s" | "m" | "h" | "d"}`
  | `${number}${"s" | "m" | "h" | "d"}${number}${"ms" | "s" | "m" | "h"}`
  | `${number}h${number}m${number}s`
  | `${number}d${number}h${number}m`;

/** What messages say about texts, behind what they say about numbers. */
export const OR_TEXT = 'or a text such as "500ms", "30s", "5m", "2h", "1d" or "1m30s"';

const NUMBER = "(\\d+(?:\\.\\d+)?)";
const TEXT = new RegExp(
  `^(?:${NUMBER}d)?(?:${NUMBER}h)?(?:${NUMBER}m(?!s))?(?:${NUMBER}s)?(?:${NUMBER}ms)?$`,
);

/** Milliseconds of the units, in the order in which the pattern has them. */
const UNITS = [86_400_000, 3_600_000, 60_000, 1_000, 1];

/** Most characters of a text. */
const LONGEST_TEXT = 64;

/**
 * Gives the milliseconds of a duration; `NaN` for anything else, which no check of a range lets pass.
 *
 * @param unit Milliseconds that a bare number counts by.
 */
export function millisecondsOf(duration: unknown, unit = 1): number {
  if (typeof duration === "number") return duration * unit;
  if (typeof duration !== "string" || duration === "" || duration.length > LONGEST_TEXT) return NaN;
  const [, ...counts] = TEXT.exec(duration) ?? [];
  if (counts.length === 0) return NaN;
  const sum = counts.reduce((sum, count, place) => sum + Number(count ?? 0) * UNITS[place]!, 0);
  // A thousandth of a millisecond is as exact as a clock, and 1.1 s are 1100 ms then.
  return Math.round(sum * 1_000) / 1_000;
}

/**
 * Gives the milliseconds of an option that is a duration.
 *
 * @param action The action that fails, such as `Cannot watch files`.
 * @throws {RangeError} If it is no duration, or a negative one.
 */
export function requireDuration(action: string, name: string, given: Duration): number {
  const milliseconds = millisecondsOf(given);
  if (milliseconds >= 0) return milliseconds;
  throw new RangeError(
    `${action}: ${name} must be milliseconds, 0 or more, ${OR_TEXT}, got ${shownDuration(given)}`,
  );
}

/** Shows what was given in place of a duration, for messages. */
export function shownDuration(given: unknown): string {
  return typeof given === "number" ? String(given) : (JSON.stringify(given) ?? String(given)).slice(0, 100);
}
