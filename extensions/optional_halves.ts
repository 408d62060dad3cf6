/**
 * Loads the halves of optional extensions in the main thread.
 *
 * An extension is optional if the packages that it needs are large, so that a program that does not use it must not
 * carry them. Tools such as `deno compile` and `deno cache` put in what an import with a literal names. So only the
 * door of an optional extension leads to its packages by literals: its `mod.ts`, which services import, imports
 * `host_half.ts`, and that imports the half in the main thread when it is called. Here the specifier is made at run
 * time, and no tool follows it. What loads a service has its door, and with the door all that is needed here.
 */

import { ConfigurationError } from "../runtime/message/errors.ts";

/**
 * Loads the half of an optional extension.
 *
 * @param extension Name of the folder of the extension, such as `sql`.
 * @returns The exports of its `host.ts`.
 */
export async function loadHostHalf<Half>(extension: string): Promise<Half> {
  const door: { loadHost(): Promise<Half> } = await import(
    import.meta.resolve(`./${extension}/host_half.ts`)
  );
  return await door.loadHost();
}

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
