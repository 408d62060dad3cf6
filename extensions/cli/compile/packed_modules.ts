/**
 * Puts modules into a binary.
 *
 * `deno compile` reads local modules and their packages by itself. If a module comes from the network, or
 * imports one that does, Deno must not fetch it, because Deno does not know Enoki's rules for fetching.
 * Instead, the binary gets the bundle that `run` would make, as a file, and beside it the names of the
 * packages that the bundle imports.
 *
 * The code in a binary has no types any more. So the binary also gets what the types of a local module say of
 * its optional parameters.
 */
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  BUNDLE_SUFFIX,
  OWN_ROOT,
  ownPathsIn,
  TYPED_SUFFIX,
  type TypedModule,
} from "../../../runtime/module/bundle/embedded_bundle.ts";
import { loadBundle } from "../../../runtime/module/bundle/bundle.ts";
import type { ModuleFetcherOptions } from "../../../runtime/module/fetch/fetcher.ts";
import { inspectModule, type InspectModuleOptions } from "../../../runtime/module/graph.ts";
import type { ModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { isPackage } from "../../../runtime/program/own_modules.ts";
import { importMapUrl } from "../../../runtime/module/prepare.ts";
import { readOptionalParameters } from "../../../runtime/service/declared/optional_reader.ts";
import { readModuleText } from "../../../runtime/service/declared/module_text.ts";
import { addressFrom } from "./binary_imports.ts";

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
  /** URL of the runtime's folder. */
  readonly source: string;
  /** Path or URL of the `deno.json` or import map that the user has named. @default {none} */
  readonly importMap?: string;
}

/** @throws {ServiceLoadError} If a module of the network cannot be fetched, or must not be fetched. */
export async function packModule(
  specifier: ModuleSpecifier,
  { folder, view, modules, source, importMap }: PackModuleOptions,
): Promise<PackedModule> {
  const { url, service } = specifier;
  const place = await Deno.makeTempDir({ dir: folder, prefix: "module-" });
  const isRemote = /^https?:/.test(url);
  const isNamed = importMap !== undefined && !isPackage(url);
  const graph = isRemote || isNamed || isPackage(url) ? undefined : await inspectModule(url, view);
  if (isRemote || isNamed || graph?.isRemote) {
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
    return {
      specifier: { url: pathToFileURL(path).href, service },
      include: [path, packages, ...ownPathsIn(bundle.code).map((path) => new URL(path, source).href)],
    };
  }
  const files = graph?.files ?? [];
  if (url.startsWith("file:")) return await packTyped(specifier, files, place);
  // The binary would load any other module by its URL when it runs, although the module is inside. So a file
  // exports it.
  const path = join(place, "module.ts");
  const from = JSON.stringify(url);
  await Deno.writeTextFile(
    path,
    `export * from ${from};\nimport * as module from ${from};\nexport default module.default;\n`,
  );
  const texts = url.startsWith("data:") ? [url, ...files] : files;
  return await packTyped({ url: pathToFileURL(path).href, service }, texts, place);
}

/** Packs a local module, and in a file beside it what its sources say of optional parameters. */
async function packTyped(
  { url, service }: ModuleSpecifier,
  files: readonly string[],
  place: string,
): Promise<PackedModule> {
  const texts = await Promise.all(files.map((file) => readModuleText(file, Deno.readTextFile)));
  const optional = await readOptionalParameters(texts.filter((text) => text !== undefined));
  if (optional.functions.length === 0 && optional.unread.length === 0) {
    return { specifier: { url, service }, include: [url] };
  }
  const path = join(place, basename(new URL(url).pathname) + TYPED_SUFFIX);
  const typed = pathToFileURL(path);
  const content: TypedModule = { module: addressFrom(typed, url), optional };
  await Deno.writeTextFile(path, JSON.stringify(content));
  return { specifier: { url: typed.href, service }, include: [url, path] };
}
