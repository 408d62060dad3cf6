import { ServiceLoadError } from "../message/errors.ts";
import type { LogRecord } from "../log/log.ts";
import { InlineThreads } from "../spawning/inline_threads.ts";
import type { ModuleSpecifier } from "../module/specifier.ts";
import { NodeThreads } from "../spawning/node_threads.ts";
import { preventPermissionPrompts } from "../permissions/permission_prompts.ts";
import { ownNeeds } from "../program/own_modules.ts";
import {
  grantError,
  type LoadNeeds,
  type ServicePermissions,
  threadPermissions,
} from "../permissions/permissions.ts";
import type { ServiceExport } from "../channel/port.ts";
import { type PreparedModule, prepareModule, type PrepareModuleOptions } from "../module/prepare.ts";
import type { ThreadKind, ThreadSpawner } from "../spawning/spawner.ts";
import type { ComingThreadModule } from "../channel/thread_module.ts";
import { WardenThreads } from "../spawning/warden_threads.ts";
import { WebThreads } from "../spawning/web_threads.ts";
import { Worker } from "../pool/pooled_thread.ts";
import { requireWorkerOptions } from "../permissions/worker_options.ts";

/** A module loads, and has not the service that is wanted of it. */
export class NoServiceError extends ServiceLoadError {}

/** How the threads of a service are to be. */
export interface ThreadPlan {
  readonly permissions: ServicePermissions;
  /**
   * Kind of the threads.
   *
   * @default {"node" with permissions "all", else "warden"}
   */
  readonly kind?: ThreadKind;
  /**
   * Mebibytes of JavaScript heap for each thread; typed arrays do not count, and web and inline threads cannot be
   * limited. A thread that needs more is ended, and no other; without a limit the whole process would be.
   *
   * @default {1024}
   */
  readonly heapLimit?: number;
}

/** A module that is ready to be loaded, or will be. */
export interface ComingModule extends Omit<PreparedModule, "source"> {
  readonly source: ComingThreadModule;
}

/**
 * Makes the spawner for a module's threads.
 *
 * @throws {ServiceLoadError} If this process cannot find out what restricted threads must be allowed.
 * @throws {ConfigurationError} If Deno was started without its option for restricted threads, or cannot give them
 * their permissions.
 */
export function createSpawner(
  { url, source, needs }: ComingModule,
  name: string,
  { permissions, kind = permissions === "all" ? "node" : "warden", heapLimit = 1_024 }: ThreadPlan,
): ThreadSpawner {
  if (kind === "inline") return new InlineThreads(source);
  if (kind === "node") return new NodeThreads(source, { heapLimit });
  requireWorkerOptions();
  preventPermissionPrompts();
  if (permissions === "all") {
    return kind === "web"
      ? new WebThreads(source, { permissions: "inherit" })
      : new WardenThreads(source, { name, permissions: "inherit", heapLimit });
  }
  if (needs === undefined) {
    throw new ServiceLoadError(
      `Cannot load service module ${url} with restricted permissions: what it needs is told by deno info, which ` +
        "this process may not run. Pass --allow-run",
    );
  }
  const allowed = threadPermissions(permissions, needs);
  if (kind === "web") return new WebThreads(source, { permissions: allowed });
  try {
    return new WardenThreads(source, { name, permissions: allowed, heapLimit });
  } catch (error) {
    throw grantError(error, name);
  }
}

/** A module that a first thread has loaded. */
export interface LoadedModule {
  readonly specifier: ModuleSpecifier;
  readonly prepared: PreparedModule;
  /** The services to serve: all that it exports, or the one that was named. */
  readonly services: readonly ServiceExport[];
  readonly spawner: ThreadSpawner;
  readonly plan: ThreadPlan;
  /** The thread that loaded it; it can serve one of the services. */
  readonly worker: Worker;
}

/** Options of {@linkcode loadModule}. */
export interface LoadModuleOptions extends ThreadPlan, PrepareModuleOptions {
  readonly onLog: (record: LogRecord) => void;
  /** Whether manifests have the details of their entrypoints. @default {false} */
  readonly details?: boolean;
}

/**
 * Loads a module in a thread of its own and asks it for its services.
 *
 * @throws {ServiceLoadError} If it cannot be found, does not load in time, or exports no such service.
 */
export async function loadModule(
  specifier: ModuleSpecifier,
  { onLog, details = false, modules, importMap, bundle, loadTimeout = 30_000, signal, ...plan }:
    LoadModuleOptions,
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
  // It begins while the module is still being prepared, where that is possible: both take their time.
  const spawner = createSpawner({ url: specifier.url, source, needs }, name, plan);
  const worker = new Worker(spawner, `${name}#0`, onLog);
  let limit: ReturnType<typeof setTimeout> | undefined;
  const abort = () => worker.kill("it was aborted");
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    const prepared = await preparing;
    limit = setTimeout(() => worker.kill(`its module did not load within ${loadTimeout} ms`), loadTimeout);
    const loaded = await worker.loaded();
    const services = choose(details ? await worker.describe() : loaded, specifier);
    return { specifier, prepared, services, spawner, plan, worker };
  } catch (error) {
    worker.kill("its module is of no use");
    await spawner[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener("abort", abort);
  }
}

/** What threads must be allowed for the runtime and a module, if that does not depend on the module. */
function knownNeeds({ permissions }: ThreadPlan): LoadNeeds | undefined {
  return permissions === "all" || Deno.build.standalone ? ownNeeds() : undefined;
}

/** What its first thread is called: the name of its file, without what may be secret in a URL. */
function moduleName(url: string): string {
  const { protocol, pathname } = new URL(url);
  return protocol === "data:" ? "data" : pathname.slice(pathname.lastIndexOf("/") + 1);
}

function choose(
  exported: readonly ServiceExport[],
  { url, service }: ModuleSpecifier,
): readonly ServiceExport[] {
  if (exported.length === 0) {
    throw new NoServiceError(
      `Cannot serve module ${url}: it exports no service. Export one: export default service("name", { ... })`,
    );
  }
  if (service === undefined) return exported;
  const chosen = exported.filter(({ exportName, manifest }) =>
    manifest.name === service || exportName === service
  );
  if (chosen.length > 0) return chosen;
  throw new NoServiceError(
    `Cannot serve module ${url}: it exports no service "${service}", only ${
      exported.map(({ manifest }) => `"${manifest.name}"`).join(", ")
    }`,
  );
}
