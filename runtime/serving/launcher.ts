/** What a runner launches its services with: loads modules, and starts what serves their services. */
import type { Config } from "../config/file.ts";
import { type RuntimeSettings, type ServiceSettings, serviceSettings } from "./settings.ts";
import { Container } from "./container.ts";
import type { DependencyRegistry, EntrypointRegistry } from "../hosting/host.ts";
import { createSpawner, type ThreadPlan } from "../spawning/create_spawner.ts";
import { type LoadedModule, loadModule } from "./loader.ts";
import type { LogLevel } from "../log/log.ts";
import type { Manifest } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { ModuleSpecifier } from "../module/specifier.ts";
import { emitRecord, getLog } from "../log/observe.ts";
import type { PlainRecord } from "../message/plain.ts";
import { Pool } from "../pool/pool.ts";
import type { PrepareModuleOptions } from "../module/prepare.ts";
import type { ThreadKind } from "../spawning/spawner.ts";
import type { ThreadModule } from "../channel/port.ts";
import type { Transport } from "../message/transport.ts";

/** What services are connected to. */
export interface Wiring {
  /** Connected; the runner does not close it. */
  readonly transport: Transport;
  /** Makes what a service sends with; the container disposes it. */
  readonly messengerOf: (service: string) => Messenger & AsyncDisposable;
  /** Loads what serves the kinds of entrypoints that a manifest has. */
  readonly entrypointsOf: (manifest: Manifest) => Promise<EntrypointRegistry>;
  readonly dependencies: DependencyRegistry;
}

/** Options of {@linkcode Launcher}. */
export interface LauncherOptions {
  /** Wanted only when modules have loaded; what it rejects with, the start of the services does. */
  readonly wiring: Wiring | Promise<Wiring>;
  /** The whole configuration, for services to read their own keys in. */
  readonly config: Config;
  readonly settings: RuntimeSettings;
  /** Kind of the threads of all services. @default {as their permissions ask for} */
  readonly threadKind?: ThreadKind;
  /** Whether the containers' manifests have the details of their entrypoints. @default {false} */
  readonly details?: boolean;
  /** How modules are loaded, beside what the configuration says of it. */
  readonly loading?: Pick<PrepareModuleOptions, "importMap" | "bundle">;
  /** @default {"info"} */
  readonly logLevel?: LogLevel;
}

/** A service that is served. */
export interface Launched {
  /** Where it comes from. */
  readonly specifier: ModuleSpecifier;
  /** What its threads load. */
  readonly source: ThreadModule;
  readonly container: Container;
  /** What it sends with; the container disposes it. */
  readonly messenger: Messenger;
}

/** What the threads of a pool are to be beside what the options say. */
export interface PoolPlan {
  readonly messenger: Messenger;
  readonly onDemand: (demand: number) => void;
  readonly signal?: AbortSignal;
}

/** Starts services as one set of options says. */
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

  /** Kind of the threads; undefined where their permissions decide. */
  get threadKind(): ThreadKind | undefined {
    return this.#options.threadKind;
  }

  /**
   * Loads a module in a first thread.
   *
   * @throws {ServiceLoadError} If it does not load, or exports no such service.
   */
  async load(specifier: ModuleSpecifier, signal?: AbortSignal): Promise<LoadedModule> {
    const { settings, details = false, loading } = this.#options;
    const { modules, limits: { loadTimeout } } = settings;
    const module = await loadModule(specifier, {
      ...this.#planOf(settings),
      modules,
      ...(loadTimeout !== undefined && { loadTimeout }),
      ...loading,
      details,
      onLog: emitRecord,
      ...(signal && { signal }),
    });
    this.#spare.add(module);
    return module;
  }

  /**
   * Starts threads for a service of a module; the thread that loaded it is the first of them where it can be.
   *
   * @throws {ServiceLoadError} If the service does not load, or a dependency cannot be set up.
   */
  async startPool(
    module: LoadedModule,
    { name, entrypoints }: Manifest,
    { messenger, onDemand, signal }: PoolPlan,
  ): Promise<Pool> {
    const { config, settings, logLevel } = this.#options;
    const own = serviceSettings(settings, name);
    const plan = this.#planOf(own);
    const first = this.#spare.has(module) && sameThreads(module.plan, plan) ? module : undefined;
    if (first !== undefined) this.#spare.delete(module);
    const spawner = first?.spawner ?? createSpawner(module.prepared, name, plan);
    const pool = new Pool({
      ...own.limits,
      maxWorkers: own.maxWorkers,
      concurrency: own.concurrency,
      service: name,
      spawner,
      entrypoints,
      messenger,
      config: servedConfig(config),
      callTimeout: own.callTimeout,
      parentCallsTracked: settings.parentCallsTracked,
      onLog: emitRecord,
      log: getLog(name),
      ...(logLevel && { logLevel }),
      onDemand,
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

  /** Makes what serves a service of a module: all but {@linkcode Container.start}. */
  async launch(module: LoadedModule, manifest: Manifest, signal?: AbortSignal): Promise<Launched> {
    const { config, settings, wiring } = this.#options;
    const { transport, messengerOf, entrypointsOf, dependencies } = await wiring;
    const entrypoints = entrypointsOf(manifest);
    // They load while the threads start, for nothing if these fail.
    entrypoints.catch(() => {});
    const messenger = messengerOf(manifest.name);
    const current: { container?: Container } = {};
    let pool: Pool | undefined;
    try {
      pool = await this.startPool(module, manifest, {
        messenger,
        onDemand: (demand) => current.container?.changeDemand(demand),
        ...(signal && { signal }),
      });
      const container = new Container({
        manifest,
        pool,
        transport,
        config: servedConfig(config),
        settings: serviceSettings(settings, manifest.name),
        entrypoints: await entrypoints,
        dependencies,
        log: getLog(manifest.name),
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

  /** Ends the threads that have loaded a module and were not needed after all. */
  async dropSpare(): Promise<void> {
    const spare = [...this.#spare];
    this.#spare.clear();
    for (const { thread, spawner } of spare) {
      thread.kill("another thread serves its services");
      await spawner[Symbol.asyncDispose]();
    }
  }

  #planOf({ permissions, limits: { heapLimit } }: ServiceSettings): ThreadPlan {
    const { threadKind: kind } = this.#options;
    return { permissions, ...(heapLimit !== undefined && { heapLimit }), ...(kind && { kind }) };
  }
}

/** How code is fetched, with which credentials, is not for the code to know. */
function servedConfig({ modules: _, ...config }: Config): PlainRecord {
  return config;
}

/** The thread that loaded a module can serve one of its services if it is what that service is to have. */
function sameThreads(a: ThreadPlan, b: ThreadPlan): boolean {
  return a.heapLimit === b.heapLimit && JSON.stringify(a.permissions) === JSON.stringify(b.permissions);
}
