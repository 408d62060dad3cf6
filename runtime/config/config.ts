/**
 * This folder holds the configuration, from file, environment and flags to checked sections.
 *
 * This file puts the configuration together from all its sources.
 */
import { type Config, loadConfigFile, parseConfigText } from "./file.ts";
import { keepPlaces } from "./place.ts";
import type { ConfigValue, UnsetReference } from "./yaml.ts";
import type { Environment } from "./references.ts";
import { getLog } from "../log/observe.ts";
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
  /** Called with a sentence for each variable that is named, without a default, and not set. @default {a warning} */
  readonly onRemark?: (remark: string) => void;
}

/**
 * Puts the configuration together from its sources.
 *
 * A flag wins over `define`, `define` over the file, the file over the environment, and the environment over
 * `defaults`. A stronger source replaces the value of a key as a whole. The function does not fill in the
 * defaults of keys: the owner of a key does that. A `${NAME}` whose variable is not set, and that has no default, is
 * empty as in Nameko, and the function tells so once, unless a stronger source sets the key.
 *
 * @throws {ConfigurationError} If the file or a definition cannot be read.
 */
export async function resolveConfig(
  {
    defaults,
    env = Deno.env,
    file,
    define = [],
    flags = {},
    onRemark = (remark) => getLog().warning(remark),
  }: ResolveConfigOptions = {},
): Promise<Config> {
  const sources: Source[] = [];
  const add = async (where: string, read: (from: Reading) => Promise<Entries> | Entries) => {
    const unset: UnsetReference[] = [];
    const entries = await read({ env, onUnset: (reference) => unset.push(reference) });
    sources.push({ where, unset, values: new Map(entries) });
  };
  let fromFile: Config = {};
  if (defaults !== undefined) {
    const action = "Cannot use the configuration inside the binary";
    await add(
      "the configuration inside the binary",
      async (from) => Object.entries(await parseConfigText(defaults, { ...from, action })),
    );
  }
  await add("the environment", () =>
    KEYS_FROM_ENVIRONMENT.flatMap((key) => {
      const value = env.get(key);
      return value ? [[key, value]] : [];
    }));
  if (file !== undefined) {
    await add(String(file), async (from) => Object.entries(fromFile = await loadConfigFile(file, from)));
  }
  for (const text of define) {
    const { key, value } = splitDefinition(text);
    await add("its definition", async (from) => [[key, await parseDefinition(key, value, from)]]);
  }
  await add(
    "the flags",
    () => Object.entries(flags).filter((entry): entry is [string, ConfigValue] => entry[1] !== undefined),
  );
  const config = Object.fromEntries(sources.flatMap(({ values }) => [...values]));
  for (const remark of remarksOn(sources)) onRemark(remark);
  return keepPlaces(config, fromFile);
}

type Entries = readonly (readonly [string, ConfigValue])[];

/** How a source is read. */
interface Reading {
  readonly env: Environment;
  readonly onUnset: (reference: UnsetReference) => void;
}

/** What one source sets. */
interface Source {
  /** Name of the source for messages, as it stands after `of`. */
  readonly where: string;
  readonly values: ReadonlyMap<string, ConfigValue>;
  readonly unset: readonly UnsetReference[];
}

/** Gives sentences about the variables that are not set, as far as no stronger source sets the key. */
function remarksOn(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ where, unset, values }, at) =>
    unset.flatMap(({ name, path, place }) => {
      const keys = path.length > 0 ? path : [...values.keys()];
      if (sources.slice(at + 1).some((stronger) => stronger.values.has(keys[0]!))) return [];
      return [
        `Variable "${name}" is not set, so that nothing takes its place in config key "${
          keys.join(".")
        }" in ${place} ` +
        `of ${where}. Set it, or name a default: \${${name}:default}`,
      ];
    })
  );
}

function splitDefinition(text: string): { readonly key: string; readonly value: string } {
  const [, key, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new ConfigurationError(`Cannot use definition "${text}": it is not of the form KEY=VALUE`);
  }
  return { key, value };
}

async function parseDefinition(key: string, value: string, from: Reading): Promise<ConfigValue> {
  const { parseConfigYaml } = await import("./yaml.ts");
  return parseConfigYaml(value, { ...from, action: `Cannot use the definition of "${key}"` });
}
