import { isRecord } from "../../message/plain.ts";
import { requireKnown } from "../options/known_options.ts";

/** What one option that is a number may be. */
export interface NumberOption {
  readonly least: number;
  readonly most: number;
  /** Whether it has to be an integer. @default {false} */
  readonly whole?: boolean;
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
  for (const [key, { least, most, whole = false, absent }] of Object.entries(known)) {
    const value = given[key];
    if (value === undefined) {
      if (absent === "required") throw new TypeError(`${action}: ${name} needs ${key}`);
      if (absent !== undefined) numbers[key] = absent;
      continue;
    }
    if (
      typeof value !== "number" || !(value >= least && value <= most) || (whole && !Number.isInteger(value))
    ) {
      throw new RangeError(
        `${action}: ${name}.${key} must be ${
          whole ? "an integer" : "a number"
        } from ${least} to ${most}, got ${String(value)}`,
      );
    }
    numbers[key] = value;
  }
  return numbers;
}
