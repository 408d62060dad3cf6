import { isRecord } from "../message/plain.ts";
import type { ConfigValue, ParseConfigYamlOptions } from "./yaml.ts";
import type { Environment } from "./references.ts";
import { ConfigurationError } from "../message/errors.ts";

/** Configuration by key. All values are plain data. Keys are case-sensitive, and unknown keys stay. */
export type Config = Readonly<Record<string, ConfigValue>>;

/** Options of {@linkcode loadConfigFile}. */
export interface LoadConfigFileOptions extends Pick<ParseConfigYamlOptions, "onUnset"> {
  /** Source of the variables in `${NAME}`. @default {Deno.env} */
  readonly env?: Environment;
}

/**
 * Reads a Nameko configuration file: YAML 1.1 as PyYAML reads it, with `${VAR:default}` expanded.
 *
 * An empty file is an empty configuration.
 *
 * @throws {ConfigurationError} If the file cannot be read, is not YAML, or is not a mapping.
 */
export async function loadConfigFile(
  path: string | URL,
  { env = Deno.env, ...options }: LoadConfigFileOptions = {},
): Promise<Config> {
  const action = `Cannot read config file "${path}"`;
  return await parseConfigText(await readText(path, action), { ...options, action, env, file: String(path) });
}

/**
 * Reads the text of a Nameko configuration file, as {@linkcode loadConfigFile} does.
 *
 * @param options.action The failed action that error messages begin with.
 * @throws {ConfigurationError} If the text is not YAML, or is not a mapping.
 */
export async function parseConfigText(
  text: string,
  options: ParseConfigYamlOptions,
): Promise<Config> {
  // The parser is large, and most programs start without it.
  const { parseConfigYaml } = await import("./yaml.ts");
  const config = parseConfigYaml(text, options);
  if (config === null) return {};
  if (isRecord(config)) return config;
  const found = Array.isArray(config) ? "a list" : "a single value";
  throw new ConfigurationError(
    `${options.action}: its top level is ${found}. Make it a mapping, such as "max_workers: 10"`,
  );
}

async function readText(path: string | URL, action: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new ConfigurationError(`${action}: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "the system denies access to it";
  return error instanceof Error ? error.message : String(error);
}
