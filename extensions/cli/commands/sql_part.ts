import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { loadHostHalf } from "../../optional_halves.ts";
import type * as sqlHalf from "../../sql/host.ts";

/** The part of Enoki that knows databases. */
export type SqlHalf = typeof sqlHalf;

/**
 * Loads the part of Enoki that knows databases, which a binary may lack.
 *
 * @param action What cannot be done without it.
 */
export async function sqlPart(action: string): Promise<SqlHalf> {
  try {
    return await loadHostHalf<SqlHalf>("sql");
  } catch (error) {
    if (!Deno.build.standalone) throw error;
    throw new ConfigurationError(
      `Cannot ${action}: this binary does not hold the part for databases, whose packages are large. ` +
        "Build one with enoki compile --with sql",
    );
  }
}
