import type { Config } from "../../../runtime/config/file.ts";
import type { ConfigValue } from "../../../runtime/config/yaml.ts";
import { getLog, type LogFormat } from "../../../runtime/log/observe.ts";
import type { Isolation } from "../../../runtime/spawning/isolation.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "../commands/config.ts";
import { type CommandConfig, commandConfig, type CommandConfigOptions } from "./config_flags.ts";
import { withExtensions } from "./extension_flags.ts";
import { withIsolation } from "./isolation_flag.ts";
import { type ModuleFlags, withModuleFlags } from "./module_flags.ts";
import { type PermissionFlags, permissionsOf } from "./permission_flags.ts";
import { withoutKeysOfServices } from "./without_keys.ts";

/** Flags of `run`. */
export type RunFlags = ConfigFlags & PermissionFlags & ModuleFlags & {
  readonly maxWorkers?: number;
  readonly concurrency?: number;
  readonly http?: string;
  readonly processes?: number | "auto";
  readonly isolation?: Isolation;
  readonly watch?: boolean;
  readonly logLevel?: string;
  readonly logFormat?: LogFormat;
};

/** Options of {@linkcode readRunConfig}. */
export interface RunConfigOptions extends Pick<CommandConfigOptions, "onRemark" | "onFound"> {
  /** Called with a sentence for what `--isolation` takes away. @default {it is a remark like others} */
  readonly onLoss?: (remark: string) => void;
}

/**
 * Puts together the configuration that services run with.
 *
 * @throws {ConfigurationError} If the file, a definition or a permission cannot be read.
 */
export async function readRunConfig(
  flags: RunFlags,
  io: CommandIo,
  options: RunConfigOptions = {},
): Promise<CommandConfig> {
  const { extension = [], maxWorkers, concurrency, http, processes, isolation } = flags;
  const permissions = permissionsOf(flags);
  const given = {
    max_workers: maxWorkers,
    concurrency,
    WEB_SERVER_ADDRESS: http,
    processes,
    permissions: permissions as ConfigValue | undefined,
  };
  const { config: resolved, file } = await commandConfig(flags, io, {
    ...(io.application?.config !== undefined && { defaults: io.application.config }),
    flags: given,
    ...options,
  });
  const { onRemark = (remark) => getLog().warning(remark), onLoss = onRemark } = options;
  const isolated = withIsolation(flagsWin(resolved, given), isolation, onLoss);
  const flagged = withModuleFlags(isolated, flags);
  // What the configuration inside a binary names is inside the binary, too.
  const outside = io.application === undefined ? flagged : { ...flagged, extensions: null };
  return { config: withExtensions(outside, extension), file };
}

/** Removes the keys of single services that a flag sets: a flag wins over the file for them, too. */
function flagsWin(config: Config, given: Readonly<Record<string, ConfigValue | undefined>>): Config {
  return withoutKeysOfServices(config, Object.keys(given).filter((key) => given[key] !== undefined));
}
