/**
 * Makes the import map of a binary, which says what the names that services import stand for.
 *
 * A binary knows the places of its files only relative to each other. So an absolute path, as the `deno.json`
 * of a project may have it, leads out of the binary. Here every address of a file is relative to the map. The
 * runtime's own names lead to the runtime inside the binary: a binary has one copy of the runtime.
 */
import { posix } from "node:path";
import { pathToFileURL } from "node:url";
import { ImportMap } from "../../../runtime/module/bundle/import_map.ts";
import { OWN_PACKAGE } from "../../../runtime/program/own_package.ts";

/**
 * Makes an import map.
 *
 * @param config Path of the services' `deno.json`. Its names count, too.
 * @param at URL that the map will have.
 * @param source URL of the runtime's folder.
 * @returns Text of the import map.
 */
export async function binaryImports(config: string | undefined, at: URL, source: string): Promise<string> {
  const own = Object.entries(OWN_PACKAGE.exports).map(([door, path]) =>
    [posix.join(OWN_PACKAGE.name, door), new URL(path, source).href] as const
  );
  const named = config === undefined ? undefined : await ImportMap.read(pathToFileURL(config).href);
  return JSON.stringify({
    imports: addressed({ ...named?.imports, ...Object.fromEntries(own) }, at),
    scopes: Object.fromEntries(
      Object.entries(named?.scopes ?? {}).map(([scope, imports]) => [
        addressFrom(at, scope),
        addressed(imports, at),
      ]),
    ),
  });
}

/** Returns the address of a file as a file at `from` has to write it; for anything else, returns the URL. */
export function addressFrom(from: URL, url: string): string {
  if (!url.startsWith("file:")) return url;
  const path = posix.relative(posix.dirname(from.pathname), new URL(url).pathname);
  return `./${path}${url.endsWith("/") ? "/" : ""}`;
}

function addressed(imports: Readonly<Record<string, string>>, at: URL): Record<string, string> {
  return Object.fromEntries(Object.entries(imports).map(([name, url]) => [name, addressFrom(at, url)]));
}
