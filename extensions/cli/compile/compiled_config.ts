/** Reads and checks the configuration file that `compile` puts into a binary. */
import { type ReadSettingsOptions, Settings } from "../../settings.ts";
import type { Environment } from "../../../runtime/config/references.ts";
import { Section } from "../../../runtime/config/section.ts";
import { runtimeSettings } from "../../../runtime/serving/settings.ts";
import { type Config, parseConfigText } from "../../../runtime/config/file.ts";
import type { ModuleFetcherOptions } from "../../../runtime/module/fetch/fetcher.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { withExtensions } from "../flags/extension_flags.ts";
import { type ModuleFlags, withModuleFlags } from "../flags/module_flags.ts";

/** A configuration file as it is put into a binary. Its variables are filled in where the binary runs. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
}

/** An environment without any variable, and an environment that has every variable. */
const ENVIRONMENTS: readonly Environment[] = [{ get: () => undefined }, { get: () => "1" }];

/** @throws {ConfigurationError} If the file cannot be read. */
export async function readConfigText(path: string): Promise<ConfigText> {
  try {
    return { path, text: await Deno.readTextFile(path) };
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigurationError(`Cannot read config file "${path}": ${reason}`, { cause: error });
  }
}

/**
 * Checks the configuration that a binary will find inside.
 *
 * @throws {ConfigurationError} If the configuration would fail, whatever values its variables have.
 */
export async function checkBinaryConfig(
  config: ConfigText,
  options: Pick<ReadSettingsOptions, "extensions" | "importMap">,
): Promise<void> {
  const failures: unknown[] = [];
  for (const env of ENVIRONMENTS) {
    try {
      await Settings.read(await parse(config, env), options);
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** What a binary is made with: as the flags and the file say, with the variables of an environment. */
export interface Ingredients {
  /** How to fetch modules. */
  readonly modules: ModuleFetcherOptions;
  /** Paths or URLs of extensions. */
  readonly extensions: readonly string[];
  /** Optional parts of Enoki that the configuration asks for. */
  readonly parts: readonly string[];
}

/** @throws {ConfigurationError} If a flag or a value in the file makes no sense. */
export async function ingredients(
  config: ConfigText | undefined,
  { extension, ...flags }: ModuleFlags & { readonly extension?: readonly string[] },
  env: Environment,
): Promise<Ingredients> {
  const given: Config = config === undefined ? {} : await parse(config, env);
  const { modules = null, extensions = null, HTTP_DOCS: docs = false } = given;
  const at = new Section(withExtensions(withModuleFlags({ modules, extensions }, flags), extension));
  return {
    modules: runtimeSettings(at).modules,
    extensions: at.texts("extensions") ?? [],
    parts: docs === false || docs === null ? [] : ["docs"],
  };
}

function parse({ path, text }: ConfigText, env: Environment) {
  return parseConfigText(text, { action: `Cannot read config file "${path}"`, env, file: path });
}
