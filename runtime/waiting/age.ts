import { type Duration, millisecondsOf } from "./duration.ts";

/** A number and a unit, in RabbitMQ's notation: seconds, minutes, hours, days, months of 30 days, years of 365. */
const AGE_REGEXP = /^([1-9]\d{0,8})([smhDMY])$/;

/** Seconds of each unit. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  D: 86_400,
  M: 30 * 86_400,
  Y: 365 * 86_400,
};

/** Gives the milliseconds of an age such as `1h` or `7D`; undefined if the value is no age. */
export function ageOf(value: unknown): number | undefined {
  const [, count, unit] = (typeof value === "string" && AGE_REGEXP.exec(value)) || [];
  return unit === undefined ? undefined : Number(count) * UNITS[unit]! * 1_000;
}

/** Writes a duration as an age. An age stays as it is, and so does what is neither, for a check to refuse. */
export function ageText(given: Duration | string): string {
  const seconds = ageOf(given) === undefined ? Math.ceil(millisecondsOf(given) / 1_000) : NaN;
  if (!(seconds > 0)) return String(given);
  const days = seconds / UNITS["D"]!;
  return Number.isInteger(days) ? `${days}D` : `${seconds}s`;
}
