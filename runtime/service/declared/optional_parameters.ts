/**
 * This folder holds what TypeScript sources declare of functions and what is gone when the functions run.
 *
 * This file has the result: which parameters of which functions have a `?`. The text of a running function has
 * no `?` any more, so a function is recognized by its name and the shape of its parameters.
 *
 * Invariant: a parameter that may be required is required. If functions that look alike disagree, nobody may
 * leave the parameter out.
 */

/** A function as its source declares it. */
export interface DeclaredFunction {
  /** Name that the function has when it runs. Null for a computed name, which may be any. */
  readonly name: string | null;
  /** Shape of its parameters, as `shapeOf()` gives it. */
  readonly shape: string;
  /** Places of the parameters with a `?`, from 0. */
  readonly optional: readonly number[];
}

/** The functions of a module with optional parameters, and those that look like them. It is plain data. */
export interface OptionalParameters {
  readonly functions: readonly DeclaredFunction[];
  /** Sources that could not be read, each with the reason. */
  readonly unread: readonly string[];
}

/** The parameters of one function that have a `?`, by their places. */
export interface LeftOut {
  readonly optional: ReadonlySet<number>;
  /** Parameters that have a `?` in some of the functions that look alike, and none in others. */
  readonly doubtful: readonly number[];
}

/** What a module without any optional parameter has. */
export const NO_OPTIONAL_PARAMETERS: OptionalParameters = { functions: [], unread: [] };

/** Finds which parameters of a running function have a `?`. */
export function findOptional(
  functions: readonly DeclaredFunction[],
  name: string,
  shape: string,
): LeftOut {
  const alike = functions.filter((each) =>
    each.shape === shape && (each.name === name || each.name === null)
  );
  const places = new Set(alike.flatMap(({ optional }) => optional));
  const agreed = [...places].filter((place) => alike.every(({ optional }) => optional.includes(place)));
  return {
    optional: new Set(agreed),
    doubtful: [...places].filter((place) => !agreed.includes(place)),
  };
}
