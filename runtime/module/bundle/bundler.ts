/**
 * Makes one script of a module and all that it imports.
 *
 * The bundler runs in a separate process that ends when the bundle is made: the bundler takes some 200 MB,
 * and the end of the process frees all of them. The bundler neither reads files nor opens connections by
 * itself. Each module comes from the {@linkcode ModuleFetcher}, so the rules for origins, the lock file and
 * the cache hold here, too.
 */
import { pathToFileURL } from "node:url";
import * as esbuild from "npm:esbuild-wasm@0.28.2/esm/browser.js";
import { compileBundlerCode } from "./bundler_code.ts";
import { ServiceLoadError } from "../../message/errors.ts";
import { ImportMap } from "./import_map.ts";
import { PackageNames } from "./package_names.ts";
import { nearestPackageJson } from "../../program/program_config.ts";
import { guardDynamicImports } from "./dynamic_imports.ts";
import { resolveImport } from "./imports.ts";
import { ModuleFetcher, type ModuleFetcherOptions } from "../fetch/fetcher.ts";
import { type ModuleMediaType, type ModuleSource, NoModuleError } from "../fetch/source.ts";
import { isOwnModule, isPackage, ownModuleUnder } from "../../program/own_modules.ts";
import type { ModuleBundle } from "../../channel/port.ts";
import { readOptionalParameters } from "../../service/declared/optional_reader.ts";
import type { ModuleText } from "../../service/declared/module_text.ts";

/** A request for a bundle, as plain data. */
export interface BundleRequest {
  /** URL of the module. */
  readonly url: string;
  /** How the modules are fetched. */
  readonly modules: ModuleFetcherOptions;
  /** URL of a `deno.json` or an import map; undefined for the `deno.json` beside a remote module, if any. */
  readonly importMap: string | undefined;
  /** Whether the program cannot load packages, because it is a binary. */
  readonly standalone: boolean;
  /** Whether the module is an extension, and not the module of a service. @default {false} */
  readonly isExtension?: boolean;
  /** Text that the bundle has in place of the URL of the runtime's folder. @default {that URL} */
  readonly ownRoot?: string;
}

/** A module that is part of a bundle. As long as no module of a bundle changes, the bundle is the same. */
export interface BundledModule {
  /** URL that was requested. */
  readonly requested: string;
  /** URL of the module that imports it; undefined for a module that the user named. */
  readonly referrer: string | undefined;
  /** URL of the module after redirects. */
  readonly url: string;
  readonly mediaType: ModuleMediaType;
  readonly charset: string;
  readonly sha256: string;
}

/** A bundle, and the modules that are part of it. */
export interface BundleResult extends ModuleBundle {
  readonly modules: readonly BundledModule[];
}

/** Namespace of the modules. esbuild puts it before their names. */
const NAMESPACE = "enoki-module";

/** Name that replaces `import.meta` in the bundle. Each module declares its own constant of this name. */
const IMPORT_META = "__enoki_import_meta";

const LOADERS: Readonly<Record<ModuleMediaType, esbuild.Loader>> = {
  ts: "ts",
  tsx: "tsx",
  js: "js",
  jsx: "jsx",
  json: "json",
};

/**
 * Bundles a module.
 *
 * @throws {ServiceLoadError} If one of its modules cannot be loaded or is not valid.
 */
export async function bundleModule(request: BundleRequest): Promise<BundleResult> {
  using fetcher = new ModuleFetcher(request.modules);
  const graph = new Imports(fetcher, request.ownRoot);
  const [importMap, packageNames] = await Promise.all([
    loadImportMap(graph, request),
    loadPackageNames(graph, request),
    startBundler(),
  ]);
  const { standalone, isExtension = false, url: entry } = request;
  const surroundings = { importMap, packageNames, standalone, entry, isExtension };
  try {
    const { outputFiles, warnings } = await esbuild.build({
      entryPoints: [request.url],
      bundle: true,
      write: false,
      outfile: "/bundle.js",
      format: "esm",
      platform: "neutral",
      // For this target esbuild rewrites decorators and accessors, and nothing else that Deno supports.
      target: "es2022",
      supported: { "top-level-await": true, "import-attributes": true },
      tsconfigRaw: {
        compilerOptions: {
          useDefineForClassFields: true,
          experimentalDecorators: false,
          verbatimModuleSyntax: true,
          ...importMap?.jsx as Partial<Pick<esbuild.TsconfigRaw["compilerOptions"] & object, "jsx">>,
        },
      },
      define: { "import.meta": IMPORT_META },
      // Errors and logs show the names of classes, so the classes must keep them.
      keepNames: true,
      sourcemap: "external",
      sourcesContent: false,
      charset: "utf8",
      logLevel: "silent",
      logOverride: { "unsupported-dynamic-import": "warning" },
      plugins: [
        modulesPlugin(graph, (specifier, importer) => resolveImport(specifier, importer, surroundings)),
      ],
    });
    const [map, code] = ["map", "js"].map((end) => outputFiles.find(({ path }) => path.endsWith(end))!.text);
    const plainMap = withoutNamespace(map!);
    const imports = warnings.filter(({ id }) => id === "unsupported-dynamic-import")
      .flatMap(({ location }) => location === null ? [] : [placeOf(location)]);
    return {
      url: request.url,
      code: guardDynamicImports(code!, plainMap, imports),
      map: plainMap,
      packages: graph.packages,
      optional: await readOptionalParameters(graph.texts),
      modules: graph.modules,
    };
  } catch (error) {
    throw new ServiceLoadError(failureText(error, request.url));
  }
}

let started: Promise<void> | undefined;

function startBundler(): Promise<void> {
  return started ??= initialize();
}

async function initialize(): Promise<void> {
  await esbuild.initialize({ wasmModule: await compileBundlerCode(), worker: false });
}

/** Loads and remembers the modules of one bundle. */
class Imports {
  readonly #fetcher: ModuleFetcher;
  readonly #ownRoot: string | undefined;
  readonly #packages = new Set<string>();
  readonly #sources = new Map<string, ModuleSource>();
  readonly #modules = new Map<string, BundledModule>();

  constructor(fetcher: ModuleFetcher, ownRoot: string | undefined) {
    this.#fetcher = fetcher;
    this.#ownRoot = ownRoot;
  }

  get packages(): readonly string[] {
    return [...this.#packages];
  }

  get modules(): readonly BundledModule[] {
    return [...this.#modules.values()];
  }

  /** The modules that are code. */
  get texts(): readonly ModuleText[] {
    return [...this.#sources.values()].flatMap(({ url, mediaType: language, text }) =>
      language === "json" ? [] : [{ url, language, text }]
    );
  }

  async load(requested: string, referrer?: string): Promise<ModuleSource> {
    const source = await this.#fetcher.load(requested, { ...(referrer !== undefined && { referrer }) });
    const { url, mediaType, charset, sha256 } = source;
    this.#sources.set(url, source);
    const key = `${requested} ${referrer === undefined ? "" : new URL(referrer).protocol}`;
    if (!this.#modules.has(key)) {
      this.#modules.set(key, { requested, referrer, url, mediaType, charset, sha256 });
    }
    return source;
  }

  /** Returns the URL by which the bundle imports a module that it does not contain. */
  refer(url: string): string {
    if (isPackage(url)) this.#packages.add(url);
    return this.#ownRoot !== undefined && isOwnModule(url) ? ownModuleUnder(url, this.#ownRoot) : url;
  }

  /** Returns a module that was loaded before. */
  get(url: string): ModuleSource {
    return this.#sources.get(url)!;
  }
}

/**
 * Loads the import map that was named, or else the configuration beside a remote module, if there is one.
 *
 * A configuration beside the module may be absent, but any other failure to fetch it is an error: somebody
 * who blocks the fetch must not be able to change what names mean. An origin that is down counts as an absent
 * configuration: its module comes from the cache, or fails by itself.
 */
async function loadImportMap(
  graph: Imports,
  { url, importMap }: BundleRequest,
): Promise<ImportMap | undefined> {
  const file = importMap === undefined ? await loadAdjacent(graph, url) : await graph.load(importMap);
  if (file === undefined) return undefined;
  const map = new ImportMap(file.text, file.url);
  if (map.elsewhere === undefined) return map;
  const { text, url: elsewhere } = await graph.load(map.elsewhere, file.url);
  return new ImportMap(text, elsewhere, map);
}

/** Loads the names of the `package.json` above a local module. The bundle is made anew when that file changes. */
async function loadPackageNames(
  graph: Imports,
  { url }: BundleRequest,
): Promise<PackageNames | undefined> {
  const file = nearestPackageJson(url);
  if (file === undefined) return undefined;
  return await PackageNames.read(pathToFileURL(file).href, async (url) => {
    try {
      return (await graph.load(url)).text;
    } catch (error) {
      if (error instanceof NoModuleError) return undefined;
      throw error;
    }
  });
}

async function loadAdjacent(graph: Imports, entry: string): Promise<ModuleSource | undefined> {
  if (!/^https?:/.test(entry)) return undefined;
  const { url } = await graph.load(entry);
  try {
    return await graph.load(new URL("./deno.json", url).href, url);
  } catch (error) {
    if (error instanceof NoModuleError) return undefined;
    throw error;
  }
}

/** Makes a plugin by which esbuild takes all modules from `graph`. */
function modulesPlugin(
  graph: Imports,
  resolve: (specifier: string, importer: string) => ReturnType<typeof resolveImport>,
): esbuild.Plugin {
  return {
    name: "modules",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, importer, kind, with: attributes }) => {
        try {
          const isEntry = kind === "entry-point";
          const target = isEntry ? { kind: "module", url: path } as const : resolve(path, importer);
          if (target.kind === "external") return { path: graph.refer(target.url), external: true };
          const source = await graph.load(target.url, isEntry ? undefined : importer);
          checkAttributes(source, attributes);
          return { path: source.url, namespace: NAMESPACE };
        } catch (error) {
          return { errors: [{ text: (error as Error).message, detail: error }] };
        }
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
        const { text, mediaType } = graph.get(path);
        const contents = mediaType === "json" ? text : withImportMeta(text, path);
        return { contents, loader: LOADERS[mediaType] };
      });
    },
  };
}

/**
 * Checks the attributes of an import as Deno does: an import of JSON must have the type `json`, and no other
 * import may have a type.
 *
 * @throws {ServiceLoadError} If the attributes do not fit the module.
 */
function checkAttributes(
  { url, mediaType }: ModuleSource,
  attributes: Readonly<Record<string, string>>,
): void {
  const { type } = attributes;
  if (mediaType === "json" && type === undefined) {
    throw new ServiceLoadError(`Cannot import ${url}: it is JSON. Import it with { type: "json" }`);
  }
  if (type !== undefined && (type !== "json" || mediaType !== "json")) {
    const state = type === "json" ? "it is not JSON" : "only modules and JSON can be bundled";
    throw new ServiceLoadError(`Cannot import ${url} with { type: "${type}" }: ${state}`);
  }
}

/** Declares this module's `import.meta` on its first line, so that all other lines stay as they were. */
function withImportMeta(text: string, url: string): string {
  const plain = text.replace(/^#!/, "//");
  if (!plain.includes("import.meta")) return plain;
  const paths = url.startsWith("file:")
    ? ", get filename() { return decodeURIComponent(new URL(this.url).pathname); }, " +
      `get dirname() { return this.filename.replace(/\\/[^/]*$/, "") || "/"; }`
    : "";
  const resolve = "resolve(specifier) { return new URL(specifier, this.url).href; }";
  return `const ${IMPORT_META} = { url: ${JSON.stringify(url)}, main: false, ${resolve}${paths} }; ${plain}`;
}

function withoutNamespace(map: string): string {
  const parsed: { sources: string[] } = JSON.parse(map);
  parsed.sources = parsed.sources.map((source) => source.slice(`${NAMESPACE}:`.length));
  return JSON.stringify(parsed);
}

/** Converts a place of esbuild. Its columns count bytes from 0; the result counts characters from 1. */
function placeOf({ file, line, column, lineText }: esbuild.Location) {
  const characters = new TextDecoder().decode(new TextEncoder().encode(lineText).subarray(0, column)).length;
  return { source: file.slice(`${NAMESPACE}:`.length), line, column: characters + 1 };
}

/** Describes the first error in a sentence, with its place. */
function failureText(error: unknown, entry: string): string {
  const { errors = [] } = error as Partial<esbuild.BuildFailure>;
  const first = errors.find(({ location }) => location !== null) ?? errors[0];
  if (first === undefined) return `Cannot load module ${entry}: ${(error as Error).message}`;
  const place = first.location === null ? undefined : placeOf(first.location);
  const at = place && `${place.source}:${place.line}:${place.column}`;
  if (first.detail instanceof ServiceLoadError) {
    return at === undefined ? first.text : `${first.text} (imported at ${at})`;
  }
  const text = first.text.startsWith("Could not resolve import(")
    ? "import() of a pattern cannot be bundled. Write a literal for each module that it may be"
    : first.text.replaceAll(`${NAMESPACE}:`, "");
  return `Cannot load module ${entry}: ${at === undefined ? "" : `${at}: `}${text}`;
}
