import { configureLogging, emitRecord } from "../../../runtime/log/observe.ts";
import { loadingPlan } from "../../../runtime/serving/loading/thread_plan.ts";
import { describeModule } from "../../../runtime/serving/loading/loader.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import type { ServiceExport } from "../../../runtime/channel/port.ts";
import { Settings } from "../../settings.ts";
import type { CommandIo } from "../command_io.ts";
import { commandConfig } from "../flags/config_flags.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import { type ModuleFlags, withModuleFlags } from "../flags/module_flags.ts";
import { type PermissionFlags, permissionsOf } from "../flags/permission_flags.ts";
import type { ConfigFlags } from "./config.ts";

/** Flags of the commands that load modules only to look at them. */
export type LoadingFlags = ConfigFlags & PermissionFlags & ModuleFlags;

/** The services of modules, with the settings that the modules were loaded by. */
export interface ModuleServices {
  readonly services: readonly ServiceExport[];
  readonly settings: Settings;
}

/**
 * Loads modules, without serving them, and gives the services that they export.
 *
 * @param details Whether the manifests have the details of the entrypoints.
 * @returns The exit status if another process has done the whole command.
 * @throws {ServiceLoadError} If a module does not load, or exports no service.
 * @throws {ConfigurationError} If the configuration is wrong.
 */
export async function loadServices(
  modules: readonly string[],
  flags: LoadingFlags,
  io: CommandIo,
  details: boolean,
): Promise<ModuleServices | number> {
  const done = await io.startOver(modules[0]);
  if (done !== undefined) return done;
  configureLogging({ colors: io.colors, write: (line) => io.writeMessage(`${line}\n`) });
  const { config } = await commandConfig(flags, io);
  const settings = await Settings.read(withModuleFlags(config, flags));
  const permissions = permissionsOf(flags);
  await requireModuleFiles(modules);
  const services: ServiceExport[] = [];
  for (const module of modules) {
    const specifier = parseModuleSpecifier(module);
    const described = await describeModule(specifier, {
      ...loadingPlan(settings.runtime, specifier),
      ...(permissions !== undefined && { permissions }),
      ...(flags.importMap !== undefined && { importMap: flags.importMap }),
      details,
      onLog: emitRecord,
    });
    services.push(...described);
  }
  return { services, settings };
}
