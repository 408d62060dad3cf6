import { didYouMean, nearestNames } from "./nearest_names.ts";

type NamesOf<Options> = Options extends unknown ? keyof Options & string : never;

/**
 * The names of all options of an interface. A table of this type does not compile if it lacks an option or has one too
 * many, so it may stand for the interface where the program runs.
 */
export type OptionNames<Options> = { readonly [Name in NamesOf<Options>]: true };

/**
 * Checks that a function knows all options that it gets: a mistyped one would do nothing.
 *
 * @param action The action that fails, such as `Cannot declare a timer`.
 * @param name What has the options, such as `it`.
 * @param known Names of all options.
 * @throws {TypeError} If an option is not known.
 */
export function requireKnown(
  action: string,
  name: string,
  given: object,
  known: readonly string[] | Readonly<Record<string, true>>,
): void {
  const names: readonly string[] = Array.isArray(known) ? known : Object.keys(known);
  const unknown = Object.keys(given).find((key) => !names.includes(key));
  if (unknown === undefined) return;
  const advice = didYouMean(nearestNames(unknown, names)) || `. Its options are ${names.join(", ")}`;
  throw new TypeError(`${action}: ${name} has no option "${unknown}"${advice}`);
}
