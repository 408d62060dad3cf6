/**
 * Loads the halves of optional extensions in the main thread.
 *
 * An extension is optional if the packages that it needs are large, so that a program that does not use it must not
 * carry them. Tools such as `deno compile` and `deno cache` put in what an import with a literal names. So only the
 * door of an optional extension leads to its packages by literals: its `mod.ts`, which services import, imports
 * `host_half.ts`, and that imports the half in the main thread when it is called. Here the specifier is made at run
 * time, and no tool follows it. What loads a service has its door, and with the door all that is needed here.
 */

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
