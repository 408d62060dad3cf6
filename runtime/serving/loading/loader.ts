import { within } from "../../waiting/abort.ts";
import { chooseServices } from "../../module/choose_services.ts";
import type { ModuleSpecifier } from "../../module/specifier.ts";
import { NO_OPTIONAL_PARAMETERS } from "../../service/declared/optional_parameters.ts";
import type { Service } from "../../service/service.ts";
import type { ServiceSource } from "../service_source.ts";
import type { ServiceExport } from "../../channel/port.ts";
import type { PreparedModule } from "../../module/prepare.ts";
import type { ThreadPlan } from "../../spawning/create_spawner.ts";
import type { ThreadSpawner } from "../../spawning/spawner.ts";
import { PooledThread } from "../../pool/pooled_thread.ts";
import { type BeginModuleOptions, BegunModule } from "./begun_module.ts";

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
export interface LoadModuleOptions extends BeginModuleOptions {
  /** Whether manifests have the details of their entrypoints. @default {false} */
  readonly details?: boolean;
  /** The module, if its first thread has begun before. @default {it begins now} */
  readonly begun?: BegunModule | undefined;
}

/**
 * Loads a module in a new thread and asks the thread for the module's services.
 *
 * @throws {ServiceLoadError} If the module cannot be found, does not load in time, or does not export the
 * wanted service.
 */
export async function loadModule(
  specifier: ModuleSpecifier,
  { details = false, begun, ...options }: LoadModuleOptions,
): Promise<LoadedModule> {
  const { onLog, signal } = options;
  signal?.throwIfAborted();
  const module = begun ?? new BegunModule(specifier, options);
  const { plan, preparing, loadTimeout } = module;
  const { spawner, name, ...given } = await module.take(signal);
  const thread = new PooledThread(spawner, name, onLog, given);
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
  const { InlineThreads } = await import("../../spawning/inline_threads.ts");
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
