/**
 * How modules come into a binary.
 *
 * What is local, `deno compile` reads by itself, with its packages. Where a module comes from the network, or imports
 * one that does, Deno must not fetch it, as it knows nothing of our rules for that: the same bundle that `run` would
 * make is put in as a file, and what it imports of packages is named beside it.
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
  /** What is to be served, by the URL of a file. */
  readonly specifier: ModuleSpecifier;
  /** What the binary has to hold: paths, and URLs of modules. */
  readonly include: readonly string[];
}

/** Options of {@linkcode packModule}. */
export interface PackModuleOptions {
  /** Where files may be written. */
  readonly folder: string;
  /** What `deno compile` sees of the module. */
  readonly view: InspectModuleOptions;
  /** Where modules of the network come from. */
  readonly modules: ModuleFetcherOptions;
  /** URLs of what a bundle may import of the runtime. */
  readonly doors: readonly string[];
  /** Path or URL of the `deno.json` or import map that the user has named. @default {none} */
  readonly importMap?: string;
}

/** @throws {ServiceLoadError} If a module of the network cannot be had, or must not be. */
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
  // What else is loaded by its URL when the binary runs, though it is inside.
  const path = join(place, "module.ts");
  const from = JSON.stringify(url);
  await Deno.writeTextFile(
    path,
    `export * from ${from};\nimport * as module from ${from};\nexport default module.default;\n`,
  );
  return { specifier: { url: pathToFileURL(path).href, service }, include: [path] };
}
