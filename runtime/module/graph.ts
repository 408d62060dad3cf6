/**
 * What a module consists of, as far as that must be known before it is loaded.
 *
 * A restricted thread loads its module under its own permissions, so it must be allowed to read exactly these
 * files; under `deno run` with no permission at all a program can be loaded just so. The list comes from
 * `deno info`, which resolves as `deno run` does. It is asked not to fetch anything from the network: whether a
 * module of the network may be had is not for Deno to say.
 */
import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../message/errors.ts";
import { isOwnModule, type LoadNeeds, ownNeeds } from "../program/own_modules.ts";
import { programConfig } from "../program/program_config.ts";

/** An import in a local module, as it is resolved under the configuration of this program. */
export interface ResolvedImport {
  readonly specifier: string;
  /** URL of the module that imports. */
  readonly importer: string;
  readonly url: string;
}

/** What is known of a module and all that it imports. */
export interface ModuleGraph {
  /** What loading it needs. */
  readonly needs: LoadNeeds;
  /** Whether a module of it comes from an `http:` or `https:` URL, and is not the runtime's own. */
  readonly isRemote: boolean;
  /** Local files that it consists of, those included that are not there or make no sense; without the runtime's. */
  readonly files: readonly string[];
  /** What those import at run time, without what cannot be resolved. */
  readonly imports: readonly ResolvedImport[];
  /** Why it cannot be loaded; undefined if it can. */
  readonly failure: string | undefined;
  /** Whether that is for a name that nothing has under the configuration of this program. */
  readonly isUnresolved: boolean;
}

interface InfoDependency {
  readonly specifier: string;
  readonly isDynamic?: boolean;
  /** Absent where only a type is imported. */
  readonly code?: {
    readonly specifier?: string;
    readonly error?: string;
    /** Counts from 0. */
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
  /** Path of the `deno` that is asked. @default {this one} */
  readonly deno?: string;
  /** Path of the `deno.json` that counts. @default {that of this program} */
  readonly config?: string | undefined;
  /** Path of an import map, in place of the names in `config`. @default {none} */
  readonly importMap?: string;
  readonly signal?: AbortSignal;
}

/**
 * Inspects what a module imports.
 *
 * @throws {ServiceLoadError} If `deno` cannot do that.
 */
export async function inspectModule(
  moduleUrl: string,
  options: InspectModuleOptions = {},
): Promise<ModuleGraph> {
  const local = walk(await info(moduleUrl, ["--no-remote"], options));
  // Packages of JSR are modules of the network to Deno, but it is Deno that answers for them.
  if (local.isRemote || !local.hasPackages) return local;
  return walk(await info(moduleUrl, ["--allow-import"], options), { packages: true });
}

/** Follows what is loaded at run time; types are not. */
function walk(
  { roots, modules, redirects = {} }: InfoOutput,
  { packages = false } = {},
): ModuleGraph & { readonly hasPackages: boolean } {
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const read = new Set(ownNeeds().read);
  const hosts = new Set(ownNeeds().import);
  const files: string[] = [];
  const imports: ResolvedImport[] = [];
  let isRemote = false;
  let hasPackages = false;
  let failure: string | undefined;
  let isUnresolved = false;
  const importedAt = new Map<string, string>();
  const required = new Map(roots.map((root) => [root, true]));
  for (const [specifier, isRequired] of required) {
    if (isOwnModule(specifier) && !specifier.startsWith("file:")) continue;
    if (specifier.startsWith("jsr:")) hasPackages = true;
    if (/^https?:/.test(specifier)) {
      if (packages) hosts.add(new URL(specifier).host);
      else isRemote = true;
    }
    if (specifier.startsWith("file:") && !isOwnModule(specifier)) files.push(fileURLToPath(specifier));
    const module = known.get(redirects[specifier] ?? specifier);
    if (module === undefined) continue;
    if (isRequired && module.error !== undefined) {
      // What has lines of its own says its own place.
      const at = module.error.includes("\n") ? undefined : importedAt.get(specifier);
      failure ??= at === undefined ? module.error : `${module.error.replace(/\.$/, "")}${at}`;
    }
    if (module.local !== undefined && module.specifier.startsWith("file:")) read.add(module.local);
    const isFile = module.specifier.startsWith("file:") && !isOwnModule(module.specifier);
    for (const { specifier: text, code, isDynamic = false } of module.dependencies ?? []) {
      const needed = isRequired && !isDynamic;
      if (needed && code?.error !== undefined) {
        isUnresolved ||= failure === undefined;
        failure ??= code.error;
      }
      if (code?.specifier === undefined) continue;
      if (isFile) imports.push({ specifier: text, importer: module.specifier, url: code.specifier });
      // Met again as required, it is walked again.
      if (needed && required.get(code.specifier) === false) required.delete(code.specifier);
      if (required.has(code.specifier)) continue;
      required.set(code.specifier, needed);
      const { line, character } = code.span.start;
      importedAt.set(code.specifier, ` (imported at ${module.specifier}:${line + 1}:${character + 1})`);
    }
  }
  return {
    needs: { read: [...read], import: [...hosts] },
    isRemote,
    hasPackages,
    files,
    imports,
    failure,
    isUnresolved,
  };
}

async function info(
  moduleUrl: string,
  flags: readonly string[],
  { deno = Deno.execPath(), config = programConfig(), importMap, signal }: InspectModuleOptions,
): Promise<InfoOutput> {
  const command = new Deno.Command(deno, {
    args: [
      ...["info", "--quiet", "--json", ...flags],
      ...(config === undefined ? ["--no-config"] : ["--config", config]),
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
    throw new ServiceLoadError(`Cannot load service module ${moduleUrl}: ${reason}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}
