/**
 * Run-time identity of what users define.
 *
 * Invariant: a value is one of ours if and only if it has the registered symbol with the right word. It holds
 * across copies of this library (a service bundled for a compiled binary carries its own), where `instanceof`
 * would say no.
 */

/** The key under which every definition carries what it is. */
export const BRAND: unique symbol = Symbol.for("enoki.definition") as never;

/** What a branded value can be. */
export type Brand = "service" | "contract" | "entrypoint" | "dependency";

/** Whether `value` was defined by this library, in whatever copy, as a `brand`. */
export function hasBrand(value: unknown, brand: Brand): boolean {
  return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === brand;
}
