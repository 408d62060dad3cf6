/** The configuration of a command: what its flags say, and the file that they name or that the working folder has. */
import { join } from "node:path";
import { resolveConfig, type ResolveConfigOptions } from "../../../runtime/config/config.ts";
import type { Config } from "../../../runtime/config/file.ts";
import { getLog } from "../../../runtime/log/observe.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { CommandIo } from "../command_io.ts";

/** The flags that name sources of the configuration. */
export interface ConfigFileFlags {
  /** Path of a YAML file; false for none. @default {`enoki.yaml` or `enoki.yml` of the working folder} */
  readonly config?: string | false;
  readonly define?: readonly string[];
}

/** What a command is configured with. */
export interface CommandConfig {
  readonly config: Config;
  /** Path of the file that was read, if there is one. */
  readonly file: string | undefined;
}

/** Options of {@linkcode commandConfig}. */
export interface CommandConfigOptions extends Omit<ResolveConfigOptions, "env" | "file" | "define"> {
  /** Told before a file is read that nobody has named. @default {the log is told, at debug} */
  readonly onFound?: (file: string) => void;
}

/** The names of a file that need no flag. */
const NAMES = ["enoki.yaml", "enoki.yml"];

/**
 * Puts the configuration of a command together.
 *
 * @throws {ConfigurationError} If a source cannot be read.
 */
export async function commandConfig(
  flags: ConfigFileFlags,
  io: CommandIo,
  { onFound = (file) => getLog().debug(`Using ${file}`), ...options }: CommandConfigOptions = {},
): Promise<CommandConfig> {
  const { define } = flags;
  const { file, found } = await configFile(flags, io);
  if (file !== undefined && found) onFound(file);
  const config = await resolveConfig({
    env: io.env,
    ...(file !== undefined && { file }),
    ...(define && { define }),
    ...options,
  });
  return { config, file };
}

/**
 * Finds the configuration file of a command, and whether nobody has named it. It is looked for in the working folder alone, and not in the folders
 * above: what is in the file can give permissions.
 *
 * @throws {ConfigurationError} If the working folder has several.
 */
export async function configFile(
  { config }: Pick<ConfigFileFlags, "config">,
  { folder }: Pick<CommandIo, "folder">,
): Promise<{ readonly file: string | undefined; readonly found: boolean }> {
  if (config !== undefined) return { file: config === false ? undefined : config, found: false };
  const paths = NAMES.map((name) => folder === undefined ? name : join(folder, name));
  const found = (await Promise.all(paths.map(isFile))).flatMap((exists, index) =>
    exists ? [paths[index]!] : []
  );
  if (found.length > 1) {
    throw new ConfigurationError(
      `Cannot choose a configuration: there are ${found.join(" and ")}. Remove one, or name one by --config`,
    );
  }
  return { file: found[0], found: found.length > 0 };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
