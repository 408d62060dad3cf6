/**
 * What the names that services import stand for in a binary.
 *
 * A binary knows its files by where they are from each other, so an address with a whole path, as the
 * `deno.json` of a project may have it, leads out of it. Here every address of a file starts at the map. The
 * runtime's own names lead to the runtime that is put in: a binary has one copy of it.
 */
import { posix } from "node:path";
import { pathToFileURL } from "node:url";
import { ImportMap } from "../../../runtime/module/bundle/import_map.ts";
import { OWN_PACKAGE } from "../../../runtime/program/own_package.ts";

/**
 * Makes an import map.
 *
 * @param config Path of the `deno.json` of the services, whose names count, too.
 * @param at URL that the map will have.
 * @param source URL of the runtime's folder.
 * @returns Its text.
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

/** The address of a file as a file at `from` has to write it; that of anything else is its URL. */
export function addressFrom(from: URL, url: string): string {
  if (!url.startsWith("file:")) return url;
  const path = posix.relative(posix.dirname(from.pathname), new URL(url).pathname);
  return `./${path}${url.endsWith("/") ? "/" : ""}`;
}

function addressed(imports: Readonly<Record<string, string>>, at: URL): Record<string, string> {
  return Object.fromEntries(Object.entries(imports).map(([name, url]) => [name, addressFrom(at, url)]));
}
