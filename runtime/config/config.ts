/**
 * This folder holds the configuration, from file, environment and flags to checked sections.
 *
 * This file puts the configuration together from all its sources.
 */
import { type Config, loadConfigFile, parseConfigText } from "./file.ts";
import { keepPlaces } from "./place.ts";
import type { ConfigValue } from "./yaml.ts";
import type { Environment } from "./references.ts";
import { ConfigurationError } from "../message/errors.ts";

/** The only keys that an environment variable of the same name can set. */
const KEYS_FROM_ENVIRONMENT = ["AMQP_URI", "TRANSPORT", "WEB_SERVER_ADDRESS"] as const;

/** Options of {@linkcode resolveConfig}, the weakest source first. */
export interface ResolveConfigOptions {
  /** Text of a YAML file. Its keys count if no other source sets them. */
  readonly defaults?: string;
  /** Source of `AMQP_URI`, `TRANSPORT`, `WEB_SERVER_ADDRESS` and `${VAR}` in values. @default {Deno.env} */
  readonly env?: Environment;
  /** Path of a YAML file. */
  readonly file?: string | URL;
  /** Texts of the form `KEY=VALUE`. The value is YAML. The last text for a key wins. */
  readonly define?: readonly string[];
  /** Values of the command line's own flags. An undefined value does not count. */
  readonly flags?: Readonly<Record<string, ConfigValue | undefined>>;
}

/**
 * Puts the configuration together from its sources.
 *
 * A flag wins over `define`, `define` over the file, the file over the environment, and the environment over
 * `defaults`. A stronger source replaces the value of a key as a whole. The function does not fill in the
 * defaults of keys: the owner of a key does that.
 *
 * @throws {ConfigurationError} If the file or a definition cannot be read.
 */
export async function resolveConfig(
  { defaults, env = Deno.env, file, define = [], flags = {} }: ResolveConfigOptions = {},
): Promise<Config> {
  const given = (values: Readonly<Record<string, ConfigValue | undefined>>) =>
    Object.entries(values).filter((entry): entry is [string, ConfigValue] => entry[1] !== undefined);
  const fromFile = file === undefined ? {} : await loadConfigFile(file, { env });
  const inside = defaults === undefined
    ? {}
    : await parseConfigText(defaults, { action: "Cannot use the configuration inside the binary", env });
  const config = Object.fromEntries([
    ...given(inside),
    ...given(Object.fromEntries(KEYS_FROM_ENVIRONMENT.map((key) => [key, env.get(key) || undefined]))),
    ...given(fromFile),
    ...await Promise.all(define.map((text) => parseDefinition(text, env))),
    ...given(flags),
  ]);
  return keepPlaces(config, fromFile);
}

async function parseDefinition(text: string, env: Environment): Promise<[string, ConfigValue]> {
  const [, key, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new ConfigurationError(`Cannot use definition "${text}": it is not of the form KEY=VALUE`);
  }
  const { parseConfigYaml } = await import("./yaml.ts");
  return [key, parseConfigYaml(value, { action: `Cannot use the definition of "${key}"`, env })];
}
