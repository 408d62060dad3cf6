/**
 * Tells at run time whether a value is a definition of this library.
 *
 * Invariant: a value is a definition of this library if and only if it has the registered symbol with the
 * right word. The invariant holds across copies of this library, where `instanceof` would return false: a
 * service that is bundled for a compiled binary carries its own copy.
 */

/**
 * The key under which every definition carries its brand.
 *
 * @internal
 */
export const BRAND: unique symbol = Symbol.for("enoki.definition") as never;

/** The kinds of definitions. */
export type Brand = "service" | "contract" | "entrypoint" | "dependency" | "extension";

/** Returns whether any copy of this library defined `value` as a `brand`. */
export function hasBrand(value: unknown, brand: Brand): boolean {
  return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === brand;
}
