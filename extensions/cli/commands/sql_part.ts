import type * as sqlHalf from "../../sql/host.ts";
import { loadPart } from "../../optional_halves.ts";

/** The part of Enoki that knows databases. */
export type SqlHalf = typeof sqlHalf;

/**
 * Loads the part of Enoki that knows databases, which a binary may lack.
 *
 * @param action What cannot be done without it.
 */
export function sqlPart(action: string): Promise<SqlHalf> {
  return loadPart<SqlHalf>("sql", action, "databases");
}
