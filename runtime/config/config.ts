/**
 * This folder holds the configuration, from file, environment and flags to checked sections.
 *
 * This file puts the configuration together from all its sources.
 */
import { type Config, loadConfigFile, parseConfigText } from "./file.ts";
import { keepPlaces, recordSources, recordUnset } from "./place.ts";
import { wayOut } from "./section.ts";
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
  const add = async (
    where: string,
    label: string,
    read: (from: Reading) => Promise<Entries> | Entries,
    under: readonly string[] = [],
  ) => {
    const unset: UnsetReference[] = [];
    const entries = await read({
      env,
      onUnset: (reference) => unset.push({ ...reference, path: [...under, ...reference.path] }),
    });
    sources.push({ where, label, unset, values: new Map(entries) });
  };
  let fromFile: Config = {};
  if (defaults !== undefined) {
    const action = "Cannot use the configuration inside the binary";
    await add(
      "the configuration inside the binary",
      "the binary",
      async (from) => Object.entries(await parseConfigText(defaults, { ...from, action })),
    );
  }
  await add("the environment", "environment", () =>
    KEYS_FROM_ENVIRONMENT.flatMap((key) => {
      const value = env.get(key);
      return value ? [[key, value]] : [];
    }));
  if (file !== undefined) {
    await add(
      String(file),
      String(file),
      async (from) => Object.entries(fromFile = await loadConfigFile(file, from)),
    );
  }
  for (const text of define) {
    const { key, value } = splitDefinition(text);
    await add(
      "its definition",
      "--define",
      async (from) => [[key, await parseDefinition(key, value, from)]],
      [key],
    );
  }
  await add(
    "the flags",
    "flag",
    () => Object.entries(flags).filter((entry): entry is [string, ConfigValue] => entry[1] !== undefined),
  );
  const config = Object.fromEntries(sources.flatMap(({ values }) => [...values]));
  keepPlaces(config, fromFile);
  recordSources(
    config,
    new Map(sources.flatMap(({ label, values }) => [...values.keys()].map((key) => [key, label]))),
  );
  for (const { name, keys, where } of unsetVariables(sources)) {
    recordUnset(config, keys, name);
    onRemark(
      `Variable "${name}" is not set, so that nothing takes its place in config key "${
        keys.join(".")
      }" ${where}. ` +
        wayOut(name),
    );
  }
  return config;
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
  /** Its name where a person reads where a value is from. */
  readonly label: string;
  readonly values: ReadonlyMap<string, ConfigValue>;
  readonly unset: readonly UnsetReference[];
}

/** A variable that is named without a default, and is not set. */
interface UnsetVariable {
  readonly name: string;
  /** Keys that lead to the value which names it. */
  readonly keys: readonly string[];
  readonly where: string;
}

/** Finds the variables that are not set, as far as no stronger source sets the key. */
function unsetVariables(sources: readonly Source[]): readonly UnsetVariable[] {
  return sources.flatMap(({ where, unset }, at) =>
    unset.flatMap(({ name, path, place }) => {
      if (sources.slice(at + 1).some((stronger) => stronger.values.has(path[0]!))) return [];
      return [{ name, keys: path, where: `in ${place} of ${where}` }];
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
