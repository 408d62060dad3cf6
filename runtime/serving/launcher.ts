/** Launches services for a runner: loads their modules, and makes their pools and containers. */
import type { Config } from "../config/file.ts";
import { plainOrigins } from "../config/place.ts";
import { type RuntimeSettings, type ServiceSettings, serviceSettings } from "./settings.ts";
import { Container } from "./container.ts";
import type { DependencyRegistry, EntrypointRegistry, HostHook } from "../hosting/host.ts";
import { createSpawner, type ThreadPlan } from "../spawning/create_spawner.ts";
import type { BegunModule } from "./loading/begun_module.ts";
import { loadingPlan, threadPlan } from "./loading/thread_plan.ts";
import { type LoadedModule, loadInline, loadModule } from "./loading/loader.ts";
import { sameModule } from "../module/specifier.ts";
import type { Manifest } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import { emitRecord, getLog, logThreshold } from "../log/observe.ts";
import { outputLog } from "../log/output/output_log.ts";
import { Pool } from "../pool/pool.ts";
import type { PrepareModuleOptions } from "../module/prepare.ts";
import { hostConfig, threadConfig } from "./served_config.ts";
import { type Clock, SYSTEM_CLOCK } from "../waiting/clock.ts";
import type { CallWatch, Telemetry } from "../telemetry/telemetry.ts";
import type { ServiceSource } from "./service_source.ts";
import { processLimits } from "../spawning/process/process_limits.ts";
import type { ThreadKind } from "../spawning/spawner.ts";
import type { ThreadModule } from "../channel/port.ts";
import type { Transport } from "../message/transport.ts";

/** The connections of services: to the broker, and to the extensions that they use. */
export interface Wiring {
  /** Connected transport. The runner does not close it. */
  readonly transport: Transport;
  /** Makes the messenger of a service. The container disposes the messenger. */
  readonly messengerOf: (service: string) => Messenger & AsyncDisposable;
  /** Loads the factories that make the hosts for a manifest's kinds of entrypoints. */
  readonly entrypointsOf: (manifest: Manifest) => Promise<EntrypointRegistry>;
  readonly dependencies: DependencyRegistry;
  /** Hooks around each call of every service. */
  readonly around: readonly HostHook[];
}

/** Options of {@linkcode Launcher}. */
export interface LauncherOptions {
  /**
   * The launcher waits for the wiring only after the modules have loaded. If the wiring rejects, the start of
   * the services rejects with the same reason.
   */
  readonly wiring: Wiring | Promise<Wiring>;
  /** The whole configuration, in which services read their own keys. */
  readonly config: Config;
  readonly settings: RuntimeSettings;
  readonly telemetry: Telemetry;
  /** The clock of the services. @default {the clock of the machine} */
  readonly clock?: Clock | undefined;
  /** Whether the containers' manifests have the details of their entrypoints. @default {false} */
  readonly details?: boolean;
  /** Called when the process of a service crashes again and again, to stop the service. */
  readonly onCrashLoop?: (service: string, reason: string) => void;
  /** Options for loading modules, in addition to those in the configuration. */
  readonly loading?: Pick<PrepareModuleOptions, "importMap" | "bundle">;
  /** A module that has begun before it is loaded. @default {none has} */
  readonly begun?: BegunModule | undefined;
}

/** A service with the container that serves it. */
export interface Launched {
  /** Where the service comes from. */
  readonly specifier: ServiceSource;
  /** Module as the threads load it. */
  readonly source: ThreadModule;
  readonly container: Container;
  /** Messenger of the service. The container disposes it. */
  readonly messenger: Messenger;
}

/** Parts of a single pool, in addition to the launcher's options. */
export interface PoolPlan {
  readonly messenger: Messenger;
  /** Learns which calls have ended; undefined if telemetry is off. */
  readonly watch: CallWatch | undefined;
  readonly onDemand: (demand: number) => void;
  readonly signal?: AbortSignal;
}

/** Launches several services with one set of options. */
export class Launcher {
  readonly #options: LauncherOptions;
  /** Modules whose first thread serves no service yet. */
  readonly #spare = new Set<LoadedModule>();

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Milliseconds that a polite stop may take. */
  get grace(): number {
    return this.#options.settings.grace;
  }

  /** Kind of the threads; undefined if their permissions decide. */
  get threadKind(): ThreadKind | undefined {
    return this.#options.settings.threadKind;
  }

  /**
   * Loads a module in a first thread, or a service of the program inline.
   *
   * @throws {ServiceLoadError} If the module does not load, or does not export the wanted service.
   */
  async load(specifier: ServiceSource, signal?: AbortSignal): Promise<LoadedModule> {
    const { settings, details = false, loading, begun, clock } = this.#options;
    const module = specifier.inline === undefined
      ? await loadModule(specifier, {
        ...loadingPlan(settings, specifier),
        ...loading,
        ...(begun?.isFree && sameModule(begun.specifier, specifier) && { begun }),
        details,
        clock,
        onLog: emitRecord,
        ...(signal && { signal }),
      })
      : await loadInline(specifier, specifier.inline, { onLog: emitRecord, details, clock });
    if (specifier.inline !== undefined && settings.threadKind !== "inline") {
      getLog(specifier.inline.name).info(
        "Served inline, in the program's own thread: without a sandbox, and no timeout ends a handler. Define the " +
          "service with module: import.meta.url to serve it in threads of its own",
      );
    }
    this.#spare.add(module);
    return module;
  }

  /**
   * Starts the threads of a service. The first of them is the thread that loaded the module, if it is still
   * free and has the permissions, the environment variables and the heap limit of the service.
   *
   * @throws {ServiceLoadError} If the service does not load, or a dependency cannot be set up.
   */
  async startPool(
    module: LoadedModule,
    { name, entrypoints }: Manifest,
    { messenger, watch, onDemand, signal }: PoolPlan,
  ): Promise<Pool> {
    const { config, settings, clock } = this.#options;
    const own = serviceSettings(settings, name);
    const plan = threadPlan(own, settings.threadKind);
    const fits = module.plan.kind === "inline" || sameThreads(module.plan, plan);
    const first = this.#spare.has(module) && fits ? module : undefined;
    if (first !== undefined) this.#spare.delete(module);
    warnOfUnmet(name, module.plan, { own, plan, isInlineAsked: settings.threadKind === "inline" });
    const spawner = first?.spawner ?? await createSpawner(module.prepared, name, plan, clock);
    spawner.processEvents = {
      ...outputLog({ service: name, emit: emitRecord, most: own.limits.logLimit }),
      onCrashLoop: (reason) => {
        getLog(name).error(`Stopping service "${name}": ${reason}`);
        this.#options.onCrashLoop?.(name, reason);
      },
    };
    const seen = threadConfig(config, own);
    const pool = new Pool({
      ...own.limits,
      maxWorkers: own.maxWorkers,
      concurrency: own.concurrency,
      service: name,
      spawner,
      entrypoints,
      messenger,
      config: seen,
      configOrigins: plainOrigins(seen),
      callTimeout: own.callTimeout,
      parentCallsTracked: settings.parentCallsTracked,
      payloads: settings.payloads,
      clock,
      onLog: emitRecord,
      log: getLog(name),
      logThreshold: () => logThreshold(name),
      onDemand,
      ...(watch && {
        onCallEnded: watch.ended,
        onThreadLost: watch.threadLost,
        onThreadRenewed: watch.threadRenewed,
      }),
    });
    try {
      await pool.start({ ...(first && { first: first.thread }), ...(signal && { signal }) });
      return pool;
    } catch (error) {
      first?.thread.kill("its service did not start");
      await pool.shutdown();
      throw error;
    }
  }

  /** Makes what watches the calls of a service; undefined if telemetry is off. */
  watch(manifest: Manifest): CallWatch | undefined {
    const { settings, telemetry } = this.#options;
    return settings.telemetry === undefined ? undefined : telemetry.watch(manifest);
  }

  /** Makes the container of a service with its pool, but does not call {@linkcode Container.start}. */
  async launch(module: LoadedModule, manifest: Manifest, signal?: AbortSignal): Promise<Launched> {
    const { config, settings, telemetry, clock = SYSTEM_CLOCK, wiring } = this.#options;
    const { transport, messengerOf, entrypointsOf, dependencies, around } = await wiring;
    const entrypoints = entrypointsOf(manifest);
    // The entrypoints load while the threads start. If the threads fail, nothing awaits the entrypoints.
    entrypoints.catch(() => {});
    const messenger = messengerOf(manifest.name);
    const own = serviceSettings(settings, manifest.name);
    const watch = this.watch(manifest);
    const current: { container?: Container } = {};
    let pool: Pool | undefined;
    try {
      pool = await this.startPool(module, manifest, {
        messenger,
        watch,
        onDemand: (demand) => current.container?.changeDemand(demand),
        ...(signal && { signal }),
      });
      const container = new Container({
        manifest,
        pool,
        transport,
        messenger,
        config: hostConfig(config, own),
        settings: own,
        entrypoints: await entrypoints,
        dependencies,
        around,
        log: getLog(manifest.name),
        metrics: telemetry.metrics,
        clock,
        watch,
        own: [messenger],
      });
      current.container = container;
      return { specifier: module.specifier, source: module.prepared.source, container, messenger };
    } catch (error) {
      await pool?.shutdown();
      await messenger[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends those threads that have loaded one of these modules and serve no service of it. */
  async dropSpare(modules: readonly LoadedModule[]): Promise<void> {
    for (const module of modules) {
      if (!this.#spare.delete(module)) continue;
      module.thread.kill("another thread serves its services");
      await module.spawner[Symbol.asyncDispose]();
    }
  }
}

/** Warns of what the settings of a service say, and its threads have not, or its module has had more than it may have. */
function warnOfUnmet(
  service: string,
  loaded: ThreadPlan,
  { own, plan, isInlineAsked }: {
    readonly own: ServiceSettings;
    readonly plan: ThreadPlan;
    /** Whether the program wants all services inline. */
    readonly isInlineAsked: boolean;
  },
): void {
  const log = getLog(service);
  if (loaded.kind !== "inline") {
    if (loaded.permissions !== "all" || plan.permissions === "all") return;
    return log.warning(
      "The module of this service was loaded with all permissions, because only the module tells its name. Name the " +
        `service, so that it is loaded with its own: enoki run MODULE:${service}`,
    );
  }
  if (!isInlineAsked && own.isolation === "process") {
    log.warning(
      "The process of its own that its configuration says is not there: it is served inline, in the program's own " +
        "thread. Define the service with module: import.meta.url",
    );
  }
  if (own.env !== undefined) {
    log.warning(
      "The environment variables of its configuration are not there: it is served inline, in the program's own " +
        "thread. Serve it in threads of its own",
    );
  }
}

/** Whether the thread that loaded a module has the plan of a service, so that it can serve the service. */
function sameThreads(a: ThreadPlan, b: ThreadPlan): boolean {
  return a.kind === b.kind && a.heapLimit === b.heapLimit &&
    JSON.stringify(processLimits(a)) === JSON.stringify(processLimits(b)) &&
    JSON.stringify(a.permissions) === JSON.stringify(b.permissions) &&
    JSON.stringify(a.env) === JSON.stringify(b.env);
}
