import { within } from "../waiting/abort.ts";
import { DEFAULT_LIMITS } from "../pool/pool_options.ts";
import { given } from "../message/plain.ts";
import { chooseServices } from "../module/choose_services.ts";
import type { Clock } from "../waiting/clock.ts";
import type { LogRecord } from "../log/log.ts";
import { outputLog } from "../log/output_log.ts";
import type { ModuleSpecifier } from "../module/specifier.ts";
import { NO_OPTIONAL_PARAMETERS } from "../service/declared/optional_parameters.ts";
import type { Service } from "../service/service.ts";
import type { ServiceSource } from "./service_source.ts";
import { type LoadNeeds, ownNeeds } from "../program/own_modules.ts";
import type { ServiceExport } from "../channel/port.ts";
import { type PreparedModule, prepareModule, type PrepareModuleOptions } from "../module/prepare.ts";
import { createSpawner, type ThreadPlan } from "../spawning/create_spawner.ts";
import { processLimits } from "../spawning/process/process_limits.ts";
import { type RuntimeSettings, type ServiceSettings, serviceSettings } from "./settings.ts";
import type { ThreadSpawner } from "../spawning/spawner.ts";
import { PooledThread } from "../pool/pooled_thread.ts";

/** Milliseconds that an aborted load waits for its thread, which may spin and is then interrupted later. */
const ABORTED_END = 1_000;

/** A module that a first thread has loaded. */
export interface LoadedModule {
  readonly specifier: ServiceSource;
  readonly prepared: PreparedModule;
  /** The services to serve: all that the module exports, or the named one. */
  readonly services: readonly ServiceExport[];
  readonly spawner: ThreadSpawner;
  readonly plan: ThreadPlan;
  /** The thread that loaded the module. It can serve one of the services. */
  readonly thread: PooledThread;
}

/** Options of {@linkcode loadModule}. */
export interface LoadModuleOptions extends ThreadPlan, PrepareModuleOptions {
  readonly onLog: (record: LogRecord) => void;
  /** Whether manifests have the details of their entrypoints. @default {false} */
  readonly details?: boolean;
  /** The clock of the services. @default {the clock of the machine} */
  readonly clock?: Clock | undefined;
}

/** Returns how the threads of a service are made. */
export function threadPlan(
  { permissions, isolation, env, limits }: ServiceSettings,
  kind: RuntimeSettings["threadKind"] = isolation === "process" ? "process" : undefined,
): ThreadPlan {
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
): ThreadPlan & Pick<LoadModuleOptions, "modules" | "loadTimeout"> {
  const { modules, threadKind } = settings;
  const isolated = [settings, ...settings.services.values()].some(({ isolation }) => isolation === "process");
  const own = service !== undefined
    ? serviceSettings(settings, service)
    : isolated
    ? { ...settings, isolation: "process" as const }
    : settings;
  return { ...threadPlan(own, threadKind), modules, ...given({ loadTimeout: own.limits.loadTimeout }) };
}

/**
 * Loads a module in a new thread and asks the thread for the module's services.
 *
 * @throws {ServiceLoadError} If the module cannot be found, does not load in time, or does not export the
 * wanted service.
 */
export async function loadModule(
  specifier: ModuleSpecifier,
  {
    onLog,
    details = false,
    clock,
    modules,
    importMap,
    bundle,
    loadTimeout = DEFAULT_LIMITS.loadTimeout,
    signal,
    ...plan
  }: LoadModuleOptions,
): Promise<LoadedModule> {
  const name = moduleName(specifier.url);
  signal?.throwIfAborted();
  const preparing = prepareModule(specifier.url, {
    loadTimeout,
    ...(modules && { modules }),
    ...(importMap !== undefined && { importMap }),
    ...(bundle !== undefined && { bundle }),
    ...(signal && { signal }),
  });
  const needs = knownNeeds(plan) ?? (await preparing).needs;
  const source = preparing.then(({ source }) => source);
  source.catch(() => {});
  // If possible, the thread starts while the module is still being prepared, because both take time.
  const spawner = await createSpawner({ url: specifier.url, source, needs }, name, plan, clock);
  spawner.processEvents = { ...outputLog({ service: name, emit: onLog }), onCrashLoop() {} };
  const thread = new PooledThread(spawner, `${name}#0`, onLog);
  let limit: ReturnType<typeof setTimeout> | undefined;
  const abort = () => thread.kill("it was aborted");
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    const prepared = await preparing;
    limit = setTimeout(() => thread.kill(`its module did not load within ${loadTimeout} ms`), loadTimeout);
    const loaded = await thread.loaded();
    const exported = details ? await thread.describe() : loaded;
    const services = chooseServices(exported, ({ manifest }) => manifest.name, specifier);
    return { specifier, prepared, services, spawner, plan, thread };
  } catch (error) {
    thread.kill("its module is of no use");
    const ended = Promise.resolve(spawner[Symbol.asyncDispose]());
    await (signal?.aborted ? within(ABORTED_END, ended) : ended);
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * Loads a module only to learn its services, and ends the thread in which it was loaded.
 *
 * @throws {ServiceLoadError} As {@linkcode loadModule}.
 */
export async function describeModule(
  specifier: ModuleSpecifier,
  options: LoadModuleOptions,
): Promise<readonly ServiceExport[]> {
  const { services, thread, spawner } = await loadModule(specifier, options);
  thread.kill("it is described");
  await spawner[Symbol.asyncDispose]();
  return services;
}

/**
 * Takes a service of this program as if a module exported it, and runs it in this thread.
 *
 * @throws {ServiceLoadError} If the service cannot be described.
 */
export async function loadInline(
  specifier: ServiceSource,
  service: Service,
  { onLog, details = false, clock }: Pick<LoadModuleOptions, "onLog" | "details" | "clock">,
): Promise<LoadedModule> {
  const { url } = specifier;
  // Nobody knows which of its parameters have a `?` if the service does not say where its source is.
  const source = service.module ?? { url, optional: NO_OPTIONAL_PARAMETERS };
  const { InlineThreads } = await import("../spawning/inline_threads.ts");
  const spawner = new InlineThreads(source, { exports: { service }, clock });
  const thread = new PooledThread(spawner, `${service.name}#0`, onLog);
  try {
    const loaded = await thread.loaded();
    const services = details ? await thread.describe() : loaded;
    const plan = { kind: "inline", permissions: "all" } as const;
    return { specifier, prepared: { url, source, needs: undefined }, services, spawner, plan, thread };
  } catch (error) {
    thread.kill("its service is of no use");
    throw error;
  }
}

/** Returns what threads need to load the runtime and a module; undefined if the module decides that. */
function knownNeeds({ permissions }: ThreadPlan): LoadNeeds | undefined {
  return permissions === "all" || Deno.build.standalone ? ownNeeds() : undefined;
}

/** Names the first thread of a module: by its file's name, without parts of the URL that may be secret. */
function moduleName(url: string): string {
  const { protocol, pathname } = new URL(url);
  return protocol === "data:" ? "data" : pathname.slice(pathname.lastIndexOf("/") + 1);
}
