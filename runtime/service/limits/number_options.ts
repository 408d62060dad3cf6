import { millisecondsOf, OR_TEXT, shownDuration } from "../../waiting/duration.ts";
import { isRecord } from "../../message/plain.ts";
import { requireKnown } from "../options/known_options.ts";

/** What one option that is a number may be. */
export interface NumberOption {
  readonly least: number;
  readonly most: number;
  /** Whether it has to be an integer. @default {false} */
  readonly whole?: boolean;
  /** Whether it may also be a text such as `30s`: it is in milliseconds. @default {false} */
  readonly duration?: boolean;
  /** What is not a number has to be given: `"required"`. @default {the option may be absent} */
  readonly absent?: number | "required";
}

/**
 * Checks options that are numbers, and fills in what is absent.
 *
 * @param action The action that fails on wrong options, such as `Cannot make client "payments"`.
 * @param name Name of the options, such as `retry`.
 * @param others Names of further options that the caller checks.
 * @throws {TypeError} If `given` is no object, has an unknown option, or lacks a required one.
 * @throws {RangeError} If a number is out of its range.
 */
export function numberOptions(
  action: string,
  name: string,
  given: unknown,
  known: Readonly<Record<string, NumberOption>>,
  others: readonly string[] = [],
): Record<string, number> {
  if (!isRecord(given)) throw new TypeError(`${action}: ${name} must be an object, got ${String(given)}`);
  requireKnown(action, name, given, [...Object.keys(known), ...others]);
  const numbers: Record<string, number> = {};
  for (const [key, { least, most, whole = false, duration = false, absent }] of Object.entries(known)) {
    const written = given[key];
    if (written === undefined) {
      if (absent === "required") throw new TypeError(`${action}: ${name} needs ${key}`);
      if (absent !== undefined) numbers[key] = absent;
      continue;
    }
    const value = duration ? millisecondsOf(written) : written;
    if (
      typeof value !== "number" || !(value >= least && value <= most) || (whole && !Number.isInteger(value))
    ) {
      throw new RangeError(
        `${action}: ${name}.${key} must be ${
          duration ? "milliseconds" : whole ? "an integer" : "a number"
        } from ${least} to ${most}, ${duration ? `${OR_TEXT}, ` : ""}got ${shownDuration(written)}`,
      );
    }
    numbers[key] = value;
  }
  return numbers;
}
