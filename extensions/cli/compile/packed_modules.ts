/**
 * Puts modules into a binary.
 *
 * `deno compile` reads local modules and their packages by itself. If a module comes from the network, or
 * imports one that does, Deno must not fetch it, because Deno does not know Enoki's rules for fetching.
 * Instead, the binary gets the bundle that `run` would make, as a file, and beside it the names of the
 * packages that the bundle imports.
 */
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { BUNDLE_SUFFIX, OWN_ROOT } from "../../../runtime/module/bundle/embedded_bundle.ts";
import { loadBundle } from "../../../runtime/module/bundle/bundle.ts";
import type { ModuleFetcherOptions } from "../../../runtime/module/fetch/fetcher.ts";
import { inspectModule, type InspectModuleOptions } from "../../../runtime/module/graph.ts";
import type { ModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { isPackage } from "../../../runtime/program/own_modules.ts";
import { importMapUrl } from "../../../runtime/module/prepare.ts";

/** A module as it is put into a binary. */
export interface PackedModule {
  /** Specifier to serve, with the URL of a file. */
  readonly specifier: ModuleSpecifier;
  /** Paths, and URLs of modules, that the binary has to contain. */
  readonly include: readonly string[];
}

/** Options of {@linkcode packModule}. */
export interface PackModuleOptions {
  /** Folder in which files may be written. */
  readonly folder: string;
  /** Options to inspect the module just as `deno compile` sees it. */
  readonly view: InspectModuleOptions;
  /** Options to fetch modules of the network. */
  readonly modules: ModuleFetcherOptions;
  /** URLs of the runtime's modules that a bundle may import. */
  readonly doors: readonly string[];
  /** Path or URL of the `deno.json` or import map that the user has named. @default {none} */
  readonly importMap?: string;
}

/** @throws {ServiceLoadError} If a module of the network cannot be fetched, or must not be fetched. */
export async function packModule(
  specifier: ModuleSpecifier,
  { folder, view, modules, doors, importMap }: PackModuleOptions,
): Promise<PackedModule> {
  const { url, service } = specifier;
  const place = await Deno.makeTempDir({ dir: folder, prefix: "module-" });
  const isRemote = /^https?:/.test(url);
  const isNamed = importMap !== undefined && !isPackage(url);
  if (isRemote || isNamed || (!isPackage(url) && (await inspectModule(url, view)).isRemote)) {
    const bundle = await loadBundle({
      url,
      modules,
      importMap: importMapUrl(url, importMap),
      standalone: false,
      ownRoot: OWN_ROOT,
    });
    const path = join(
      place,
      (url.startsWith("data:") ? "data" : basename(new URL(url).pathname)) + BUNDLE_SUFFIX,
    );
    await Deno.writeTextFile(path, JSON.stringify(bundle));
    const packages = join(place, "packages.js");
    await Deno.writeTextFile(
      packages,
      bundle.packages.map((name) => `import ${JSON.stringify(name)};\n`).join(""),
    );
    return { specifier: { url: pathToFileURL(path).href, service }, include: [path, packages, ...doors] };
  }
  if (url.startsWith("file:")) return { specifier, include: [url] };
  // The binary would load any other module by its URL when it runs, although the module is inside. So a file
  // exports it.
  const path = join(place, "module.ts");
  const from = JSON.stringify(url);
  await Deno.writeTextFile(
    path,
    `export * from ${from};\nimport * as module from ${from};\nexport default module.default;\n`,
  );
  return { specifier: { url: pathToFileURL(path).href, service }, include: [path] };
}
