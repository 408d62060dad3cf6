import { getLog } from "../../../runtime/log/observe.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import type { Manifest } from "../../../runtime/service/manifest.ts";
import { loadingPlan } from "../../../runtime/serving/loading/thread_plan.ts";
import { describeModule } from "../../../runtime/serving/loading/loader.ts";
import { serviceSettings } from "../../../runtime/serving/settings.ts";
import type { Settings } from "../../settings.ts";
import { describePermissions } from "../flags/permission_flags.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import { type Check, firstLineOf } from "./finding.ts";

/** Options of {@linkcode moduleCheck}. */
export interface ModuleCheckOptions {
  readonly settings: Settings;
  readonly importMap?: string;
  readonly onManifests: (manifests: readonly Manifest[]) => void;
}

/** Loads a module as `run` does, without serving it. */
export function moduleCheck(
  module: string,
  { settings, importMap, onManifests }: ModuleCheckOptions,
): Check {
  return async (found, signal) => {
    await requireModuleFiles([module]);
    const specifier = parseModuleSpecifier(module);
    const services = await describeModule(specifier, {
      ...loadingPlan(settings.runtime, specifier),
      signal,
      ...(importMap !== undefined && { importMap }),
      onLog: ({ level, message }) => {
        if (level === "warning" || level === "error") found.warn(`While ${module} loaded: ${message}`);
        else getLog().debug(message);
      },
    }).catch((error) => {
      signal.throwIfAborted();
      found.problem(`${module} does not load: ${firstLineOf(error)}`);
    });
    if (services === undefined) return;
    const manifests = services.map(({ manifest }) => manifest);
    for (const { name, entrypoints, dependencies } of manifests) {
      const kinds = [...new Set(entrypoints.map(({ kind }) => kind))].join(", ") || "nothing";
      const keys = dependencies.map(({ key }) => key).join(", ");
      const granted = describePermissions(serviceSettings(settings.runtime, name).permissions);
      found.ok(
        `${name} loads: it offers ${kinds}${keys === "" ? "" : `, depends on ${keys}`}, and has ${granted}`,
      );
    }
    onManifests(manifests);
  };
}
