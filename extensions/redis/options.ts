/** What an option has to be: one of some texts, or one of these. */
import { millisecondsOf, OR_TEXT } from "../../runtime/waiting/duration.ts";
type Expected = readonly string[] | "a name in REDIS_URIS" | "true or false" | "milliseconds" | "a number";

/**
 * Checks the options that an author has written, and refuses those that are not known.
 *
 * @throws {TypeError} If an option is not known, or is not what it has to be.
 * @throws {RangeError} If a number is out of its range.
 */
export function requireOptions(
  used: string,
  options: object,
  expected: Readonly<Record<string, Expected>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(expected, name)) {
      const known = Object.keys(expected).join(", ");
      throw new TypeError(`Cannot declare ${used}: it has no option "${name}". Its options are ${known}`);
    }
    if (value !== undefined) requireOption(used, name, value, expected[name]!);
  }
}

function requireOption(used: string, name: string, value: unknown, expected: Expected): void {
  const got = `got ${JSON.stringify(value) ?? typeof value}`;
  if (typeof expected !== "string") {
    if (expected.includes(value as string)) return;
    const list = expected.map((each) => `"${each}"`).join(" or ");
    throw new TypeError(`Cannot declare ${used}: ${name} must be ${list}, ${got}`);
  }
  switch (expected) {
    case "a name in REDIS_URIS":
      if (typeof value === "string" && value !== "") return;
      break;
    case "true or false":
      if (typeof value === "boolean") return;
      break;
    case "milliseconds":
      if (millisecondsOf(value) > 0) return;
      throw new RangeError(
        `Cannot declare ${used}: ${name} must be a positive number of milliseconds, ${OR_TEXT}, ${got}`,
      );
    case "a number":
      if (typeof value === "number" && value >= 1) return;
      throw new RangeError(`Cannot declare ${used}: ${name} must be a positive number, ${got}`);
  }
  throw new TypeError(`Cannot declare ${used}: ${name} must be ${expected}, ${got}`);
}
