/**
 * This folder holds the parts that run services: settings, loader, launcher, container, runner, reload, and
 * the watch on files that causes a reload. The runner puts these parts together: it starts the services of
 * some modules, reloads them, and stops them.
 */
import { abortable, timeLimit, within } from "../waiting/abort.ts";
import type { Container } from "./container.ts";
import { ServiceLoadError } from "../message/errors.ts";
import { type Launched, Launcher, type LauncherOptions } from "./launcher.ts";
import type { LoadedModule } from "./loader.ts";
import { type ModuleSpecifier, parseModuleSpecifier } from "../module/specifier.ts";
import { prepareReload } from "./reload.ts";
import type { ThreadModule } from "../channel/port.ts";

/** A step that a runner reports while it starts or reloads services. */
export type Progress =
  | { readonly step: "loading"; readonly module: string }
  | {
    readonly step: "loaded";
    readonly module: string;
    readonly services: readonly string[];
    /** Kinds of the services' entrypoints. */
    readonly kinds: ReadonlySet<string>;
  }
  | { readonly step: "serving"; readonly service: string }
  | {
    readonly step: "reloaded";
    readonly module: string;
    readonly services: readonly string[];
    /** Milliseconds that the reload took. */
    readonly took: number;
  }
  /** The changed module could not be reloaded; the former version goes on. */
  | { readonly step: "not reloaded"; readonly module: string; readonly error: unknown };

/** Milliseconds that containers which still start may take to do so, once the start is given up. */
const START_LIMIT = 250;

/** Options of {@linkcode Runner.start}. */
export interface RunnerOptions extends LauncherOptions {
  readonly onProgress?: (progress: Progress) => void;
  /** Aborting stops the start. */
  readonly signal?: AbortSignal;
}

/** Runs several containers that share a process and a transport. If one of them fails, all are stopped. */
export class Runner implements AsyncDisposable {
  /** The modules that the runner has to serve. */
  readonly modules: readonly ModuleSpecifier[];
  /**
   * Settles when all containers have ended. After a failure, which stops the rest, rejects with the first
   * one.
   */
  readonly finished: Promise<void>;
  readonly #launcher: Launcher;
  readonly #onProgress: (progress: Progress) => void;
  readonly #services = new Map<string, Launched>();
  readonly #containers = new Map<string, Container>();
  /** Containers that have not ended, including those that other containers have replaced. */
  readonly #live = new Set<Container>();
  readonly #end = Promise.withResolvers<void>();
  readonly #ending = new AbortController();
  readonly #forcing = new AbortController();
  #failure: { readonly reason: unknown } | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  /** @param services Services whose containers all run. */
  constructor(
    modules: readonly ModuleSpecifier[],
    services: readonly Launched[],
    launcher: Launcher,
    onProgress: (progress: Progress) => void,
  ) {
    this.modules = modules;
    this.#launcher = launcher;
    this.#onProgress = onProgress;
    this.finished = this.#end.promise;
    this.finished.catch(() => {});
    for (const service of services) this.#take(service);
  }

  /** The present container of each service, by name. A reload may replace some containers, and add some. */
  get containers(): ReadonlyMap<string, Container> {
    return this.#containers;
  }

  /** Returns a module as threads have loaded it; undefined if the runner serves no service of the module. */
  sourceOf(url: string): ThreadModule | undefined {
    return [...this.#services.values()].find(({ specifier }) => specifier.url === url)?.source;
  }

  /**
   * Loads the modules and serves their services: all of them when it resolves, none when it rejects.
   *
   * @throws {ServiceLoadError} If a module does not load or exports no service, or if two services have the
   * same name.
   * @throws {ConfigurationError} If an entrypoint or a dependency cannot be made.
   * @throws {BrokerError} If the broker refuses what a service declares.
   * @throws {TypeError} If `modules` is empty.
   */
  static async start(
    modules: readonly (string | URL)[],
    { onProgress = () => {}, signal, ...options }: RunnerOptions,
  ): Promise<Runner> {
    if (modules.length === 0) {
      throw new TypeError("Cannot serve: there are no modules. Name at least one");
    }
    const launcher = new Launcher(options);
    const specifiers = modules.map((module) => parseModuleSpecifier(module));
    const loaded: LoadedModule[] = [];
    const services: Launched[] = [];
    try {
      for (const specifier of specifiers) {
        onProgress({ step: "loading", module: specifier.url });
        const module = await launcher.load(specifier, signal);
        loaded.push(module);
        const names = module.services.map(({ manifest }) => manifest.name);
        const kinds = new Set(
          module.services.flatMap(({ manifest }) => manifest.entrypoints.map(({ kind }) => kind)),
        );
        onProgress({ step: "loaded", module: specifier.url, services: names, kinds });
      }
      requireUniqueNames(loaded);
      for (const module of loaded) {
        for (const { manifest } of module.services) {
          services.push(await launcher.launch(module, manifest, signal));
          onProgress({ step: "serving", service: manifest.name });
        }
      }
      const starting = Promise.all(services.map(({ container }) => container.start()));
      try {
        await abortable(starting, signal);
      } catch (error) {
        // A container that still starts while it stops could miss an entrypoint, but the broker may be away.
        await within(START_LIMIT, starting.catch(() => {}));
        throw error;
      }
      signal?.throwIfAborted();
      return new Runner(specifiers, services, launcher, onProgress);
    } catch (error) {
      using limit = timeLimit(launcher.grace, signal);
      await Promise.all(services.map(({ container }) => container.shutdown({ signal: limit.signal })));
      throw error;
    } finally {
      await launcher.dropSpare();
    }
  }

  /**
   * Loads modules anew and goes on with the new version of their services. New calls go to the new version;
   * the former version finishes the calls that it has. If a reload fails, the former version goes on with the
   * threads that it has. Reloads run one after the other.
   *
   * @param module One of the served modules. With `:name` behind it, the module that was given with the same
   * name. @default {all}
   * @param options.signal Aborting gives the reload up.
   * @returns Names of the services.
   * @throws {ServiceLoadError} If a module does not load, or lacks a service that is served from it.
   * @throws {ConfigurationError} If an entrypoint or a dependency cannot be made.
   * @throws {BrokerError} If the broker refuses what a service declares.
   * @throws {TypeError} If the module is not served, or its threads are inline: inline threads never load new
   * code.
   */
  reload(
    module?: string | URL,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly string[]> {
    const affected = this.#served(module);
    const either = AbortSignal.any([this.#ending.signal, ...(signal === undefined ? [] : [signal])]);
    const reloaded = this.#reloading.then(async () => {
      const names: string[] = [];
      for (const specifier of affected) names.push(...await this.#reload(specifier, either));
      return names;
    });
    this.#reloading = reloaded.then(() => {}, () => {});
    return reloaded;
  }

  /**
   * Stops all services politely, and by force after the configured `grace`. The method is idempotent.
   *
   * @param options.signal Aborting stops the services at once. The signal of a second call does so, too.
   */
  shutdown({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const force = () => this.#forcing.abort();
    if (signal?.aborted) force();
    else signal?.addEventListener("abort", force, { once: true });
    return this.#stopping ??= this.#stop().finally(() => signal?.removeEventListener("abort", force));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #stop(): Promise<void> {
    this.#ending.abort(new DOMException("The services are being stopped", "AbortError"));
    using limit = timeLimit(this.#launcher.grace, this.#forcing.signal);
    const stops = [...this.#live].map((container) => container.shutdown({ signal: limit.signal }));
    const reloading = abortable(this.#reloading, limit.signal).catch(() => {});
    await Promise.all([reloading, ...stops]);
  }

  #served(module: string | URL | undefined): readonly ModuleSpecifier[] {
    if (this.#launcher.threadKind === "inline") {
      throw new TypeError(
        "Cannot reload modules: inline threads load each module only once. Choose another kind of threads",
      );
    }
    if (module === undefined) return this.modules;
    const wanted = parseModuleSpecifier(module);
    const found = this.modules.filter(({ url, service }) =>
      url === wanted.url && (wanted.service === undefined || wanted.service === service)
    );
    if (found.length === 0) {
      throw new TypeError(
        `Cannot reload ${module}: it is not served, only ${this.modules.map(formatSpecifier).join(", ")}`,
      );
    }
    return found;
  }

  async #reload(specifier: ModuleSpecifier, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const start = performance.now();
    const changes = await prepareReload(specifier, this.#services, this.#launcher, {
      signal,
      force: this.#forcing.signal,
    });
    for (const change of changes) this.#take(change.make());
    const services = changes.map(({ name }) => name);
    const took = performance.now() - start;
    this.#onProgress({ step: "reloaded", module: specifier.url, services, took });
    return services;
  }

  /** Lets a container serve its service from now on. The container before it finishes its calls. */
  #take(service: Launched): void {
    const { container } = service;
    const { name } = container.manifest;
    const former = this.#containers.get(name);
    this.#services.set(name, service);
    this.#containers.set(name, container);
    if (former === container) return;
    this.#live.add(container);
    container.finished.then(() => this.#ended(container), (reason) => this.#failed(container, reason));
    void former?.shutdown({ signal: this.#forcing.signal, replaced: true });
  }

  #failed(container: Container, reason: unknown): void {
    if (this.#containers.get(container.manifest.name) === container) {
      this.#failure ??= { reason };
      void this.shutdown();
    }
    this.#ended(container);
  }

  #ended(container: Container): void {
    this.#live.delete(container);
    if (this.#live.size > 0) return;
    if (this.#failure === undefined) this.#end.resolve();
    else this.#end.reject(this.#failure.reason);
  }
}

function requireUniqueNames(modules: readonly LoadedModule[]): void {
  const found = new Map<string, LoadedModule>();
  for (const module of modules) {
    for (const { manifest: { name } } of module.services) {
      const other = found.get(name);
      if (other !== undefined) {
        throw new ServiceLoadError(
          `Cannot serve two services named "${name}": ${other.specifier.url} and ${module.specifier.url} have one each`,
        );
      }
      found.set(name, module);
    }
  }
}

function formatSpecifier({ url, service }: ModuleSpecifier): string {
  return service === undefined ? url : `${url}:${service}`;
}
