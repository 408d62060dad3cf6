import { ServiceLoadError } from "../../message/errors.ts";
import type { ImportMap } from "./import_map.ts";
import type { PackageNames } from "./package_names.ts";
import { isOwnModule, isPackage, ownModule, packageRefusal, requireHeld } from "../../program/own_modules.ts";

/** Target of an import in a module of a bundle. */
export type ImportTarget =
  /** A module that becomes part of the bundle. */
  | { readonly kind: "module"; readonly url: string }
  /** A module that the thread has or finds by itself: the runtime, a built-in module or a package. */
  | { readonly kind: "external"; readonly url: string };

/** Data with which the imports in the modules of a bundle are resolved. */
export interface ImportSurroundings {
  readonly importMap: ImportMap | undefined;
  /** The names of the nearest `package.json` above the module; undefined if there is none. */
  readonly packageNames?: PackageNames | undefined;
  /** Whether the program cannot load packages, because it is a binary. */
  readonly standalone: boolean;
  /** URL of the module that the bundle is made for. */
  readonly entry: string;
  /** Whether that module is an extension, and not the module of a service. */
  readonly isExtension: boolean;
}

/**
 * Resolves an import of a module.
 *
 * The runtime never becomes part of a bundle, whatever name the import has for it: a thread has one copy of
 * the runtime.
 *
 * @param importer URL of the module, after redirects.
 * @throws {ServiceLoadError} If the specifier cannot be resolved, or this program cannot load its target.
 */
export function resolveImport(
  specifier: string,
  importer: string,
  { importMap, packageNames, standalone, entry, isExtension }: ImportSurroundings,
): ImportTarget {
  const ownTarget = (url: string): ImportTarget => {
    if (standalone) requireHeld(url, entry, isExtension);
    return { kind: "external", url };
  };
  const own = ownModule(specifier);
  if (own !== undefined) return ownTarget(own);
  const url = importMap?.resolve(specifier, importer) ?? resolveUrl(specifier, importer) ??
    packageNames?.resolve(specifier);
  if (url === undefined) {
    throw new ServiceLoadError(
      `Cannot resolve "${specifier}": no import map and no package.json has that name. Put a deno.json with ` +
        `"imports": { "${specifier}": "npm:${specifier}" } beside ${entry}, or pass --import-map`,
    );
  }
  const mapped = ownModule(url);
  if (mapped !== undefined) return ownTarget(mapped);
  if (isOwnModule(url)) return ownTarget(url);
  if (url.startsWith("node:")) return { kind: "external", url };
  if (!isPackage(url)) return { kind: "module", url };
  if (!standalone) return { kind: "external", url };
  throw packageRefusal(url, entry, isExtension);
}

function resolveUrl(specifier: string, importer: string): string | undefined {
  if (/^\.{0,2}\//.test(specifier)) {
    return URL.canParse(specifier, importer) ? new URL(specifier, importer).href : undefined;
  }
  return URL.canParse(specifier) ? new URL(specifier).href : undefined;
}
