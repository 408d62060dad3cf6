import type { Config } from "../../../runtime/config/file.ts";
import type { ConfigValue } from "../../../runtime/config/yaml.ts";
import { isRecord } from "../../../runtime/message/plain.ts";
import { keepPlaces } from "../../../runtime/config/place.ts";

/** The flags for loading modules from URLs. */
export interface ModuleFlags {
  readonly importMap?: string;
  readonly lock?: string;
  readonly frozen?: boolean;
  readonly reload?: boolean;
  readonly cachedOnly?: boolean;
  readonly allowHttp?: boolean;
  /** True for a bare `--allow-import`: all hosts. The flag is a permission of the services, too. */
  readonly allowImport?: true | readonly string[];
}

/** Returns the configuration with the flags in its section `modules`, where a flag wins over its key. */
export function withModuleFlags(
  config: Config,
  { lock, frozen, reload, cachedOnly, allowHttp, allowImport }: ModuleFlags,
): Config {
  const { modules = null } = config;
  if (modules !== null && !isRecord(modules)) return config;
  const flags: Readonly<Record<string, ConfigValue | undefined>> = {
    lock,
    frozen,
    // Each of the two flags excludes the other one.
    reload: reload ?? (cachedOnly && false),
    cached_only: cachedOnly ?? (reload && false),
    allow_http: allowHttp,
    allow_import: allowImport,
  };
  const given = Object.entries(flags).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]);
  if (given.length === 0) return config;
  const own = { ...modules, ...Object.fromEntries(given) };
  return keepPlaces({ ...config, modules: modules === null ? own : keepPlaces(own, modules) }, config);
}
