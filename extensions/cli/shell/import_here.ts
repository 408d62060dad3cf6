import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Imports a module for an input of the shell. A path is relative to the current folder.
 *
 * @param options Options of `import()`, such as attributes.
 */
export async function importHere(specifier: string, options?: ImportCallOptions): Promise<unknown> {
  const text = String(specifier);
  const url = /^\.{0,2}\//.test(text) ? pathToFileURL(resolve(text)).href : text;
  return await import(url, options);
}
