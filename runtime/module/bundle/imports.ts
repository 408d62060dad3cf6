import { ServiceLoadError } from "../../message/errors.ts";
import type { ImportMap } from "./import_map.ts";
import { isOwnModule, isPackage, ownModule, packageRefusal } from "../../program/own_modules.ts";

/** What an import of a bundle's module leads to. */
export type ImportTarget =
  /** A module that the bundle is to hold. */
  | { readonly kind: "module"; readonly url: string }
  /** What the thread has or finds by itself: the runtime, a built-in, a package. */
  | { readonly kind: "external"; readonly url: string };

/** What the imports of a bundle's modules are resolved with. */
export interface ImportSurroundings {
  readonly importMap: ImportMap | undefined;
  /** Whether packages are out of reach, as in a binary. */
  readonly standalone: boolean;
  /** The module that the bundle is for. */
  readonly entry: string;
}

/**
 * Finds what a module imports.
 *
 * The runtime is never bundled, whatever it is called: a thread has one copy of it.
 *
 * @param importer URL of the module, after redirects.
 * @throws {ServiceLoadError} If nothing has that name, or it cannot be had here.
 */
export function resolveImport(
  specifier: string,
  importer: string,
  { importMap, standalone, entry }: ImportSurroundings,
): ImportTarget {
  const own = ownModule(specifier);
  if (own !== undefined) return { kind: "external", url: own };
  const url = importMap?.resolve(specifier, importer) ?? resolveUrl(specifier, importer);
  if (url === undefined) {
    throw new ServiceLoadError(
      `Cannot resolve "${specifier}": no import map has that name. Put a deno.json with "imports" beside ` +
        `${entry}, or pass --import-map`,
    );
  }
  const mapped = ownModule(url);
  if (mapped !== undefined) return { kind: "external", url: mapped };
  if (url.startsWith("node:") || isOwnModule(url)) return { kind: "external", url };
  if (!isPackage(url)) return { kind: "module", url };
  if (!standalone) return { kind: "external", url };
  throw packageRefusal(url, entry);
}

function resolveUrl(specifier: string, importer: string): string | undefined {
  if (/^\.{0,2}\//.test(specifier)) {
    return URL.canParse(specifier, importer) ? new URL(specifier, importer).href : undefined;
  }
  return URL.canParse(specifier) ? new URL(specifier).href : undefined;
}
