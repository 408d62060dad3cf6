/**
 * Finds out what a module consists of, as far as the runtime must know that before a thread loads the module.
 *
 * A restricted thread loads its module under its own permissions, so it must be allowed to read exactly the
 * files of the module. (`deno run` is different: it loads a program even with no permission at all.) The list
 * of files comes from `deno info`, which resolves imports as `deno run` does. The runtime tells `deno info`
 * not to fetch anything from the network, because the runtime, and not Deno, decides whether a remote module
 * may be loaded.
 */
import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../message/errors.ts";
import { isOwnModule, isPackage, type LoadNeeds, OWN_FOLDER, ownNeeds } from "../program/own_modules.ts";
import { programFlags } from "../program/program_config.ts";
import { THREAD_ENTRIES } from "../program/thread_entries.ts";

/** An import in a local module, resolved under the configuration of this program. */
export interface ResolvedImport {
  readonly specifier: string;
  /** URL of the module that contains the import. */
  readonly importer: string;
  readonly url: string;
}

/** A module and all that it imports, as `deno info` describes them. */
export interface ModuleGraph {
  /** Permissions that a thread needs to load the module. */
  readonly needs: LoadNeeds;
  /** Whether one of the modules comes from an `http:` or `https:` URL and is not one of the runtime's own. */
  readonly isRemote: boolean;
  /** Paths of the local files, also of missing or invalid ones, without those of the runtime. */
  readonly files: readonly string[];
  /** Imports in these files that load code at run time, without imports that cannot be resolved. */
  readonly imports: readonly ResolvedImport[];
  /** Reason why the module cannot be loaded; undefined if it can be loaded. */
  readonly failure: string | undefined;
  /** Whether the reason is a name that cannot be resolved under the configuration of this program. */
  readonly isUnresolved: boolean;
}

interface InfoDependency {
  readonly specifier: string;
  readonly isDynamic?: boolean;
  /** Absent if the module imports only a type. */
  readonly code?: {
    readonly specifier?: string;
    readonly error?: string;
    /** Lines and characters count from 0. */
    readonly span: { readonly start: { readonly line: number; readonly character: number } };
  };
}

interface InfoModule {
  readonly specifier: string;
  readonly local?: string;
  readonly error?: string;
  readonly dependencies?: readonly InfoDependency[];
}

interface InfoOutput {
  readonly roots: readonly string[];
  readonly modules: readonly InfoModule[];
  readonly redirects?: Readonly<Record<string, string>>;
}

/** Options of {@linkcode inspectModule}. */
export interface InspectModuleOptions {
  /** Path of the `deno` that runs `deno info`. @default {the one that runs this program} */
  readonly deno?: string;
  /** Path of the `deno.json` that `deno info` uses. @default {that of this program} */
  readonly config?: string | undefined;
  /** Path of an import map that replaces the names in `config`. @default {none} */
  readonly importMap?: string;
  readonly signal?: AbortSignal;
}

/**
 * Inspects a module and all that it imports.
 *
 * @throws {ServiceLoadError} If `deno info` fails.
 */
export async function inspectModule(
  moduleUrl: string,
  options: InspectModuleOptions = {},
): Promise<ModuleGraph> {
  const local = walk(await info(moduleUrl, ["--no-remote"], options));
  // To Deno, a JSR package consists of remote modules, and so does the runtime itself by URL. But Deno, and not the
  // runtime, decides about these, and a thread may have to find them in Deno's cache.
  if (local.isRemote || !local.hasFetched) return local;
  const [fetched] = await Promise.all([
    info(moduleUrl, ["--allow-import"], options),
    OWN_FOLDER.startsWith("file:") ? undefined : fetchThreads(),
  ]);
  return walk(fetched, { packages: true });
}

let threadsFetching: Promise<unknown> | undefined;

/** Fetches what threads begin with: Deno would, when one starts, but the process of a restricted service fetches nothing. */
function fetchThreads(): Promise<unknown> {
  return threadsFetching ??= Promise.all(
    Object.values(THREAD_ENTRIES).map((entry) => info(entry, ["--allow-import"], {})),
  ).catch((error) => {
    threadsFetching = undefined;
    throw error;
  });
}

/** Follows the imports that load code at run time; imports of types do not. */
function walk(
  { roots, modules, redirects = {} }: InfoOutput,
  { packages = false } = {},
): ModuleGraph & { readonly hasFetched: boolean } {
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const read = new Set(ownNeeds().read);
  const hosts = new Set(ownNeeds().import);
  const files: string[] = [];
  const imports: ResolvedImport[] = [];
  let isRemote = false;
  let hasFetched = false;
  let failure: string | undefined;
  let isUnresolved = false;
  const importedAt = new Map<string, string>();
  const required = new Map(roots.map((root) => [root, true]));
  for (const [specifier, isRequired] of required) {
    const isOwnRemote = isOwnModule(specifier) && !specifier.startsWith("file:");
    if (isOwnRemote || specifier.startsWith("jsr:")) hasFetched = true;
    if (isOwnRemote) continue;
    if (/^https?:/.test(specifier)) isRemote ||= !packages;
    // The first module of a JSR package stands behind the name of the package.
    const url = redirects[specifier] ?? specifier;
    if (packages && /^https?:/.test(url)) hosts.add(new URL(url).host);
    if (specifier.startsWith("file:") && !isOwnModule(specifier)) files.push(fileURLToPath(specifier));
    const module = known.get(redirects[specifier] ?? specifier);
    if (module === undefined) continue;
    if (isRequired && module.error !== undefined) {
      // An error text with several lines already names its place.
      const at = module.error.includes("\n") ? undefined : importedAt.get(specifier);
      failure ??= at === undefined ? module.error : `${module.error.replace(/\.$/, "")}${at}`;
    }
    const isFile = module.specifier.startsWith("file:") && !isOwnModule(module.specifier);
    if (isFile && module.local !== undefined) read.add(module.local);
    for (const { specifier: text, code, isDynamic = false } of module.dependencies ?? []) {
      const needed = isRequired && !isDynamic;
      if (needed && code?.error !== undefined) {
        isUnresolved ||= failure === undefined;
        failure ??= code.error;
      }
      if (code?.specifier === undefined) continue;
      if (isFile) imports.push({ specifier: text, importer: module.specifier, url: code.specifier });
      // The walk visits a module again if the module turns out to be required after all.
      if (needed && required.get(code.specifier) === false) required.delete(code.specifier);
      if (required.has(code.specifier)) continue;
      required.set(code.specifier, needed);
      const { line, character } = code.span.start;
      importedAt.set(code.specifier, ` (imported at ${module.specifier}:${line + 1}:${character + 1})`);
    }
  }
  return {
    needs: { read: [...read], import: [...hosts], packages: [...required.keys()].filter(isPackage) },
    isRemote,
    hasFetched,
    files,
    imports,
    failure,
    isUnresolved,
  };
}

async function info(
  moduleUrl: string,
  flags: readonly string[],
  { deno = Deno.execPath(), config, importMap, signal }: InspectModuleOptions,
): Promise<InfoOutput> {
  const command = new Deno.Command(deno, {
    args: [
      ...["info", "--quiet", "--json", ...flags],
      ...(config === undefined ? programFlags() : ["--config", config]),
      ...(importMap === undefined ? [] : ["--import-map", importMap]),
      moduleUrl,
    ],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
    ...(signal && { signal }),
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) {
    signal?.throwIfAborted();
    const reason = new TextDecoder().decode(stderr).trim().replace(/^error: /, "");
    throw new ServiceLoadError(`Cannot load module ${moduleUrl}: ${reason}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}
