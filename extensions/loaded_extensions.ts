/**
 * Loads the extensions that the operator has named into the main thread.
 *
 * An extension runs with all the rights of the process. Its module is found, fetched, locked and kept as the
 * module of a service is.
 */
import type { Section } from "../runtime/config/section.ts";
import { type Extension, type ExtensionParts, isExtension } from "../runtime/hosting/extension.ts";
import { ConfigurationError, ServiceLoadError } from "../runtime/message/errors.ts";
import type { ModuleFetcherOptions } from "../runtime/module/fetch/fetcher.ts";
import { prepareModule } from "../runtime/module/prepare.ts";
import { moduleUrl } from "../runtime/module/specifier.ts";
import { extensionFailure, namedParts } from "./extension_failures.ts";

/** An extension, or the path or URL of a module that exports one. */
export type ExtensionSource = string | URL | Extension;

/** Options of {@linkcode loadExtensions}. */
export interface LoadExtensionsOptions {
  /** The configuration, from which each extension reads its keys. */
  readonly at: Section;
  /** How modules by URL are fetched. */
  readonly modules: ModuleFetcherOptions;
  /** Path or URL of a `deno.json` or an import map for bare names. @default {the `deno.json` of the module} */
  readonly importMap?: string;
  /** Milliseconds that each module may take to arrive. @default {no limit} */
  readonly loadTimeout?: number;
}

/**
 * Loads extensions, reads their settings, and gives what they provide together.
 *
 * @throws {ServiceLoadError} If a module does not load, or exports no extension.
 * @throws {ConfigurationError} If two of them provide the same thing, or the configuration has a wrong value for one.
 */
export async function loadExtensions(
  sources: readonly ExtensionSource[],
  { at, ...loading }: LoadExtensionsOptions,
): Promise<ExtensionParts> {
  const loaded = await Promise.all(
    sources.map(async (source) =>
      isExtension(source)
        ? [["a program's own extension", source] as const]
        : (await loadExtensionModule(source, loading)).map((extension) =>
          [`extension ${source}`, extension] as const
        )
    ),
  );
  // A module that is named twice, in the file and by a flag, is one extension.
  const extensions = new Map(loaded.flat().map(([name, extension]) => [extension, name]));
  const parts = [...extensions].map(([extension, name]) => ({ name, parts: partsOf(name, extension, at) }));
  return {
    entrypoints: merged(parts, "entrypoints"),
    dependencies: merged(parts, "dependencies"),
    transports: merged(parts, "transports"),
    around: parts.flatMap(({ parts: { around } }) => around),
  };
}

/** @throws {ConfigurationError} If the configuration has a wrong value for the extension. */
function partsOf(name: string, extension: Extension, at: Section): ExtensionParts {
  try {
    return namedParts(name, extension.parts(at));
  } catch (thrown) {
    throw extensionFailure(`Cannot read the settings of ${name}`, thrown);
  }
}

/**
 * Loads the module of an extension, and gives the extensions that it exports.
 *
 * @throws {ServiceLoadError} If it does not load, or exports none.
 */
export async function loadExtensionModule(
  source: string | URL,
  options: Omit<LoadExtensionsOptions, "at">,
): Promise<readonly Extension[]> {
  const module = await loadOperatorModule(source, options, "extension");
  const extensions = [...new Set(Object.values(module).filter(isExtension))];
  if (extensions.length > 0) return extensions;
  throw new ServiceLoadError(
    `Cannot use extension ${source}: the module exports no extension. Export one: export default extension({ … })`,
  );
}

/**
 * Loads a module that the operator has named into the main thread, and gives what it exports.
 *
 * @param what What the module is, for messages.
 * @throws {ServiceLoadError} If it does not load.
 */
export async function loadOperatorModule(
  named: string | URL,
  options: Omit<LoadExtensionsOptions, "at">,
  what: string,
): Promise<Readonly<Record<string, unknown>>> {
  const url = named instanceof URL ? named.href : moduleUrl(named);
  const { source } = await prepareModule(url, { ...options, isExtension: true });
  try {
    if (typeof source === "string") return await import(source);
    if (!("code" in source)) return await import(source.url);
    const { importBundle } = await import("../runtime/module/bundle/bundle_import.ts");
    return (await importBundle(source)).exports;
  } catch (error) {
    throw new ServiceLoadError(
      `Cannot load ${what} ${url}: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`,
      { cause: error },
    );
  }
}

function merged<Part extends keyof typeof NOUNS>(
  extensions: readonly { readonly name: string; readonly parts: ExtensionParts }[],
  part: Part,
): ExtensionParts[Part] {
  const owners = new Map<string, string>();
  const all: Record<string, unknown> = {};
  for (const { name, parts } of extensions) {
    for (const [key, value] of Object.entries(parts[part])) {
      const owner = owners.get(key);
      if (owner !== undefined) {
        throw new ConfigurationError(
          `Cannot use ${name}: ${owner} provides ${NOUNS[part]} "${key}", too. Name one of the two`,
        );
      }
      owners.set(key, name);
      all[key] = value;
    }
  }
  return all as ExtensionParts[Part];
}

const NOUNS = {
  entrypoints: "entrypoints of kind",
  dependencies: "dependencies of kind",
  transports: "the transport for",
};
