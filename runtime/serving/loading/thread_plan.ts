import { given } from "../../message/plain.ts";
import type { ModuleSpecifier } from "../../module/specifier.ts";
import type { ThreadPlan } from "../../spawning/create_spawner.ts";
import { isolationOf } from "../../spawning/isolation.ts";
import { processLimits } from "../../spawning/process/process_limits.ts";
import { type RuntimeSettings, type ServiceSettings, serviceSettings } from "../settings.ts";
import type { BeginModuleOptions } from "./begun_module.ts";

/** Returns how the threads of a service are made. */
export function threadPlan(
  settings: ServiceSettings,
  kind: RuntimeSettings["threadKind"] = isolationOf(settings) === "process" ? "process" : undefined,
): ThreadPlan {
  const { permissions, env, limits } = settings;
  const { heapLimit } = limits;
  return { permissions, ...given({ heapLimit, kind, env }), ...processLimits(limits) };
}

/**
 * Returns how the first thread of a module is made, and how it loads the module.
 *
 * Only the module tells the names of its services. So the thread has the settings of all services, unless the specifier
 * names the service: then it has those of this service. If any service is to have a process of its own, the module could
 * be that service's, and its code must not run in this process.
 */
export function loadingPlan(
  settings: RuntimeSettings,
  { service }: ModuleSpecifier,
): ThreadPlan & Pick<BeginModuleOptions, "modules" | "loadTimeout"> {
  const { modules, threadKind } = settings;
  const isolated = [settings, ...settings.services.values()].some((each) => isolationOf(each) === "process");
  const own = service !== undefined
    ? serviceSettings(settings, service)
    : isolated
    ? { ...settings, isolation: "process" as const }
    : settings;
  return { ...threadPlan(own, threadKind), modules, ...given({ loadTimeout: own.limits.loadTimeout }) };
}
