import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { loadHostHalf } from "../../optional_halves.ts";

/**
 * Loads a part of Enoki that a binary may lack.
 *
 * @param part Name of the part, as `compile --with` takes it.
 * @param action What cannot be done without it.
 * @param purpose What the part is for.
 * @throws {ConfigurationError} If this binary does not hold it.
 */
export async function loadPart<Half>(part: string, action: string, purpose: string): Promise<Half> {
  try {
    return await loadHostHalf<Half>(part);
  } catch (error) {
    if (!Deno.build.standalone) throw error;
    throw new ConfigurationError(
      `Cannot ${action}: this binary does not hold the part for ${purpose}, whose packages are large. ` +
        `Build one with enoki compile --with ${part}`,
    );
  }
}
