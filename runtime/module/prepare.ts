import { pathToFileURL } from "node:url";
import { timeLimit } from "../waiting/abort.ts";
import { embeddedModule } from "./bundle/embedded_bundle.ts";
import { ServiceLoadError } from "../message/errors.ts";
import type { PackageNames } from "./bundle/package_names.ts";
import type { ModuleFetcherOptions } from "./fetch/fetcher.ts";
import type { ModuleGraph } from "./graph.ts";
import { moduleUrl } from "./specifier.ts";
import { mayRun } from "../permissions/own_grant.ts";
import { isPackage, type LoadNeeds, ownModule, ownNeeds, packageRefusal } from "../program/own_modules.ts";
import { nearestConfig, nearestPackageJson, programConfig } from "../program/program_config.ts";
import type { ThreadModule } from "../channel/port.ts";

/** A module that threads can load. */
export interface PreparedModule {
  readonly url: string;
  /** URL or bundle that a thread loads. */
  readonly source: ThreadModule;
  /** Permissions that a restricted thread needs to load it; undefined if this process cannot tell. */
  readonly needs: LoadNeeds | undefined;
}

/** Options of {@linkcode prepareModule}. */
export interface PrepareModuleOptions {
  /** How remote modules are fetched. @default {{}} */
  readonly modules?: ModuleFetcherOptions;
  /**
   * Path or URL of a `deno.json` or an import map for bare names.
   *
   * @default {the `deno.json` of the module}
   */
  readonly importMap?: string;
  /** Whether a module is bundled even if Deno itself could load it. @default {false} */
  readonly bundle?: boolean;
  /** Whether the module is an extension, and not the module of a service. @default {false} */
  readonly isExtension?: boolean;
  /** Milliseconds that the preparation may take. @default {no limit} */
  readonly loadTimeout?: number;
  readonly signal?: AbortSignal;
}

/**
 * Decides how threads load a module, and prepares the module for that.
 *
 * Deno itself loads local modules and modules inside this binary. The runtime fetches and bundles all others.
 *
 * @throws {ServiceLoadError} If the module, or one that it imports, cannot be loaded.
 */
export async function prepareModule(
  url: string,
  {
    modules = {},
    importMap,
    bundle = false,
    isExtension = false,
    loadTimeout = Infinity,
    signal,
  }: PrepareModuleOptions = {},
): Promise<PreparedModule> {
  using limit = timeLimit(loadTimeout, signal);
  const bundled = async (): Promise<PreparedModule> => {
    // The import is dynamic because most modules need no bundle.
    const { loadBundle } = await import("./bundle/bundle.ts");
    const request = {
      url,
      modules,
      importMap: importMapUrl(url, importMap),
      standalone: Deno.build.standalone,
      ...(isExtension && { isExtension }),
    };
    return { url, source: await loadBundle(request, limit), needs: ownNeeds() };
  };
  try {
    if (Deno.build.standalone && isEmbedded(url)) {
      return { url, source: await embeddedModule(url), needs: ownNeeds() };
    }
    if (Deno.build.standalone && isPackage(url)) throw packageRefusal(url, url, isExtension);
    const isRemote = url.startsWith("http:") || url.startsWith("https:");
    const isWanted = (bundle || importMap !== undefined) && !isPackage(url);
    if (Deno.build.standalone || isRemote || isWanted) return await bundled();
    if (!mayRun(Deno.execPath())) return { url, source: url, needs: undefined };
    // The import is dynamic because a binary inspects nothing.
    const { inspectModule } = await import("./graph.ts");
    const graph = await inspectModule(url, limit);
    if (graph.isRemote || await isOtherwiseConfigured(url, graph)) return await bundled();
    if (graph.failure === undefined) {
      const { needs, files } = graph;
      return { url, source: files.length === 0 ? url : { url, files }, needs };
    }
    // The module's own `deno.json` may have the name, or it may be one of the runtime's own names.
    if (graph.isUnresolved) return await bundled();
    throw new ServiceLoadError(`Cannot load module ${url}: ${graph.failure}`);
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.signal.aborted) throw error;
    throw new ServiceLoadError(
      `Cannot load module ${url}: its modules did not all arrive within ${loadTimeout} ms`,
    );
  }
}

/**
 * Tells whether the module's own `deno.json` or `package.json`, which Deno does not read, changes what the module
 * imports, or how its JSX is compiled.
 */
async function isOtherwiseConfigured(url: string, graph: ModuleGraph): Promise<boolean> {
  const config = nearestConfig(url);
  if (config !== undefined && config === programConfig()) return false;
  const { ImportMap } = await import("./bundle/import_map.ts");
  const map = config === undefined ? undefined : await ImportMap.read(pathToFileURL(config).href);
  if (map?.elsewhere !== undefined) return true;
  if (map !== undefined && Object.keys(map.jsx).length > 0 && graph.files.some(isJsx)) return true;
  const packages = map === undefined ? await packageNamesFor(url) : undefined;
  if (map === undefined && packages === undefined) return false;
  return graph.imports.some(({ specifier, importer, url }) => {
    if (ownModule(specifier) !== undefined) return false;
    return map === undefined ? packages!.has(specifier) : map.resolve(specifier, importer) !== url;
  });
}

function isJsx(path: string): boolean {
  return /\.[jt]sx$/.test(path);
}

async function packageNamesFor(url: string): Promise<PackageNames | undefined> {
  const file = nearestPackageJson(url);
  if (file === undefined) return undefined;
  const { PackageNames } = await import("./bundle/package_names.ts");
  return await PackageNames.read(pathToFileURL(file).href, async (url) => {
    try {
      return await Deno.readTextFile(new URL(url));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  });
}

/** URL prefix of the modules inside a binary, where they look like files; undefined outside a binary. */
const EMBEDDED = /^file:\/\/.*?\/deno-compile-[^/]+\//.exec(import.meta.url)?.[0];

function isEmbedded(url: string): boolean {
  return EMBEDDED !== undefined && url.startsWith(EMBEDDED);
}

/**
 * Returns the URL of the file in which bare names are looked up: the file that the user named, or else the
 * configuration above the module. Returns undefined if there is neither.
 */
export function importMapUrl(url: string, named: string | undefined): string | undefined {
  if (named !== undefined) return moduleUrl(named);
  const path = nearestConfig(url);
  return path === undefined ? undefined : pathToFileURL(path).href;
}
