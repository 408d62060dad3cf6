/**
 * This folder holds the parts that run services: settings, loader, launcher, container, the set of services,
 * reload, and the watch on files that causes a reload. This file puts these parts together: it starts services,
 * reloads them, and stops them.
 *
 * Invariant: of the tasks that change one service, one runs at a time. A start, a stop and a restart concern one
 * service, and a reload all services of its source. What may add services (the first start, an addition, a
 * reload) also runs one after the other, so that a name is given only once.
 */
import { abortable, timeLimit, within } from "../waiting/abort.ts";
import { Turns } from "../waiting/turns.ts";
import type { Container } from "./container.ts";
import { ServiceLoadError } from "../message/errors.ts";
import { getLog } from "../log/observe.ts";
import { type Launched, Launcher, type LauncherOptions } from "./launcher.ts";
import type { LoadedModule } from "./loading/loader.ts";
import { type ModuleSpecifier, parseModuleSpecifier, sameModule } from "../module/specifier.ts";
import {
  type ChangeOptions,
  type RunsHost,
  type ServiceContainer,
  ServiceRuns,
} from "./service_container.ts";
import type { ServiceSource } from "./service_source.ts";
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

/** Options of {@linkcode ServiceSet}. */
export interface ServiceSetOptions extends LauncherOptions {
  /** Lets in what needs no broker, such as HTTP requests, when services have started. @default {does nothing} */
  readonly listen?: () => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
  /** Whether the set goes on when its last service has been given up, because a reload may mend it. @default {false} */
  readonly awaitsReload?: boolean;
}

/** The services of a process, which share a transport. If one of them fails, all are stopped. */
export class ServiceSet implements AsyncDisposable {
  /**
   * Settles when the set has been stopped and all its containers have ended. After a failure, which stops the
   * rest, rejects with the first one. A service that is stopped on purpose is no end: it may start again. One that was
   * given up, because its process crashes again and again, is a failure that stops the rest only if no other is to run.
   */
  readonly finished: Promise<void>;
  readonly #launcher: Launcher;
  readonly #listen: () => Promise<void>;
  readonly #onProgress: (progress: Progress) => void;
  readonly #awaitsReload: boolean;
  readonly #sources: ServiceSource[] = [];
  readonly #services = new Map<string, ServiceRuns>();
  readonly #containers = new Map<string, ServiceContainer>();
  /** Containers that have not ended, including those that other containers have replaced. */
  readonly #live = new Set<Container>();
  readonly #turns = new Turns();
  readonly #end = Promise.withResolvers<void>();
  readonly #ending = new AbortController();
  readonly #forcing = new AbortController();
  #failure: { readonly reason: unknown } | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    { listen = async () => {}, onProgress = () => {}, awaitsReload = false, ...options }: ServiceSetOptions,
  ) {
    this.#launcher = new Launcher({
      ...options,
      onCrashLoop: (service, reason) => void this.#giveUp(service, reason),
    });
    this.#listen = listen;
    this.#onProgress = onProgress;
    this.#awaitsReload = awaitsReload;
    this.finished = this.#end.promise;
    this.finished.catch(() => {});
  }

  /** The container of each service, by name. An addition or a reload may add some. */
  get containers(): ReadonlyMap<string, ServiceContainer> {
    return this.#containers;
  }

  /** The modules that the services come from. */
  get modules(): readonly ModuleSpecifier[] {
    return this.#sources.filter(({ inline }) => inline === undefined);
  }

  /** Returns a module as threads have loaded it; undefined if no service of the module is served. */
  sourceOf(url: string): ThreadModule | undefined {
    return [...this.#services.values()].find(({ launched }) => launched.specifier.url === url)?.launched
      .source;
  }

  /**
   * Serves the services of some sources beside those that are served: all of them when it resolves, none when
   * it rejects.
   *
   * @param options.signal Aborting gives the start up.
   * @throws {ServiceLoadError} If a module does not load or exports no service, or if two services have the
   * same name.
   * @throws {ConfigurationError} If an entrypoint or a dependency cannot be made.
   * @throws {BrokerError} If the broker refuses what a service declares.
   */
  serve(
    sources: readonly ServiceSource[],
    { signal }: ChangeOptions = {},
  ): Promise<readonly ServiceContainer[]> {
    return this.#turns.take([this], async () => {
      const launched = await this.#launch(sources, this.#untilEnd(signal));
      this.#sources.push(...sources);
      return launched.map(({ container }) => this.#containers.get(container.manifest.name)!);
    });
  }

  /**
   * Loads modules anew and goes on with the new version of their services. New calls go to the new version;
   * the former version finishes the calls that it has. If a reload fails, the former version goes on with the
   * threads that it has. A service that is stopped stays so: its start will load its code. One that was given up starts
   * again. Services that are served inline stay as they are.
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
  async reload(module?: string | URL, { signal }: ChangeOptions = {}): Promise<readonly string[]> {
    const affected = this.#served(module);
    const either = this.#untilEnd(signal);
    const names: string[] = [];
    for (const specifier of affected) {
      const concerned = [this, ...this.#servicesOf(specifier)];
      names.push(...await this.#turns.take(concerned, () => this.#reload(specifier, either)));
      names.push(...await this.#startGivenUp(specifier, either));
    }
    return names;
  }

  /**
   * Stops all services politely, and by force after the configured `grace`. The method is idempotent.
   *
   * @param options.signal Aborting stops the services at once. The signal of a second call does so, too.
   */
  shutdown({ signal }: ChangeOptions = {}): Promise<void> {
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
    const changes = abortable(this.#turns.ended(), limit.signal).catch(() => {});
    await Promise.all([changes, ...stops]);
    const [givenUp] = [...this.#services.values()].flatMap(({ failure }) => failure ?? []);
    const failure = this.#failure ?? (givenUp && { reason: givenUp });
    if (failure === undefined) this.#end.resolve();
    else this.#end.reject(failure.reason);
  }

  #untilEnd(signal: AbortSignal | undefined): AbortSignal {
    return AbortSignal.any([this.#ending.signal, ...(signal === undefined ? [] : [signal])]);
  }

  /**
   * Loads and starts services. If one of them cannot start, none of them runs when this rejects.
   *
   * @param again The service that starts again, with its source; undefined if all of them are new.
   */
  async #launch(
    sources: readonly ServiceSource[],
    signal: AbortSignal,
    again?: { readonly name: string; readonly specifier: ServiceSource },
  ): Promise<readonly Launched[]> {
    const beside = this.#services.size > 0;
    const loaded: LoadedModule[] = [];
    const services: Launched[] = [];
    try {
      for (const source of sources) {
        signal.throwIfAborted();
        this.#onProgress({ step: "loading", module: source.url });
        const module = await this.#launcher.load(source, signal);
        loaded.push(module);
        const names = module.services.map(({ manifest }) => manifest.name);
        const kinds = new Set(
          module.services.flatMap(({ manifest }) => manifest.entrypoints.map(({ kind }) => kind)),
        );
        this.#onProgress({ step: "loaded", module: source.url, services: names, kinds });
      }
      this.#requireUniqueNames(loaded, again?.name);
      for (const module of loaded) {
        for (const { manifest } of module.services) {
          services.push(await this.#launcher.launch(module, manifest, signal));
          this.#onProgress({ step: "serving", service: manifest.name });
        }
      }
      const starting = Promise.all(services.map(({ container }) => container.start({ beside })));
      try {
        await abortable(starting, signal);
      } catch (error) {
        // A container that still starts while it stops could miss an entrypoint, but the broker may be away.
        await within(START_LIMIT, starting.catch(() => {}));
        throw error;
      }
      signal.throwIfAborted();
      for (const service of services) {
        this.#take({ ...service, ...(again && { specifier: again.specifier }) });
      }
      await this.#listen();
      return services;
    } catch (error) {
      if (again === undefined) { for (const service of services) this.#forget(service); }
      using limit = timeLimit(this.#launcher.grace, this.#forcing.signal);
      await Promise.all(
        services.map(({ container }) => container.shutdown({ signal: limit.signal, replaced: beside })),
      );
      throw error;
    } finally {
      await this.#launcher.dropSpare(loaded);
    }
  }

  #requireUniqueNames(modules: readonly LoadedModule[], again: string | undefined): void {
    const found = new Map<string, ModuleSpecifier>();
    for (const [name, { launched }] of this.#services) {
      if (name !== again) found.set(name, launched.specifier);
    }
    for (const { specifier, services } of modules) {
      for (const { manifest: { name } } of services) {
        const other = found.get(name);
        if (other !== undefined) {
          throw new ServiceLoadError(
            `Cannot serve two services named "${name}": ${reasonForTwo(other, specifier)}`,
          );
        }
        found.set(name, specifier);
      }
    }
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

  #servicesOf(specifier: ModuleSpecifier): readonly ServiceRuns[] {
    return [...this.#services.values()].filter(({ launched }) => sameModule(launched.specifier, specifier));
  }

  async #reload(specifier: ModuleSpecifier, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    if (this.#servicesOf(specifier).every(({ isStopped }) => isStopped)) return [];
    const start = performance.now();
    const served = new Map([...this.#services].map(([name, { launched }]) => [name, launched]));
    const { prepareReload } = await import("./reload.ts");
    const changes = await prepareReload(specifier, served, this.#launcher, {
      signal,
      force: this.#forcing.signal,
    });
    for (const change of changes) this.#take(change.make());
    const services = changes.map(({ name }) => name);
    const took = performance.now() - start;
    this.#onProgress({ step: "reloaded", module: specifier.url, services, took });
    return services;
  }

  /** Starts the services of a module again that were given up: its new version may be better. */
  async #startGivenUp(specifier: ModuleSpecifier, signal: AbortSignal): Promise<readonly string[]> {
    const start = performance.now();
    const givenUp = this.#servicesOf(specifier).filter(({ isWanted, failure }) => isWanted && failure);
    await Promise.all(givenUp.map((runs) => runs.start({ signal })));
    const services = givenUp.map(({ container }) => container.name);
    const took = performance.now() - start;
    if (services.length > 0) {
      this.#onProgress({ step: "reloaded", module: specifier.url, services, took });
    }
    return services;
  }

  /** Lets a container serve its service from now on. The container before it finishes its calls. */
  #take(launched: Launched): void {
    const { container } = launched;
    const { name } = container.manifest;
    const runs = this.#services.get(name);
    const former = runs?.current;
    if (runs === undefined) {
      const added = new ServiceRuns(name, launched, this.#runsHost);
      this.#services.set(name, added);
      this.#containers.set(name, added.container);
    } else runs.replace(launched);
    if (former === container) return;
    this.#live.add(container);
    container.finished.then(() => this.#live.delete(container), (reason) => this.#failed(container, reason));
    void former?.shutdown({ signal: this.#forcing.signal, replaced: true });
  }

  /** What the runs of a service need of this set. */
  get #runsHost(): RunsHost {
    return {
      turns: this.#turns,
      grace: this.#launcher.grace,
      ending: this.#ending.signal,
      startAgain: async (name, { specifier }, signal) => {
        await this.#launch([{ ...specifier, service: name }], signal, { name, specifier });
      },
    };
  }

  /** Removes a service that has not begun to be served, if it is here. */
  #forget({ container }: Launched): void {
    const { name } = container.manifest;
    if (this.#services.get(name)?.current !== container) return;
    this.#services.delete(name);
    this.#containers.delete(name);
  }

  /** Stops a service, or all of them if no other one is to run. The end of all tells why. */
  async #giveUp(name: string, reason: string): Promise<void> {
    await this.#services.get(name)?.giveUp(new ServiceLoadError(`Cannot serve "${name}": ${reason}`));
    const isDone = ({ isWanted, failure }: ServiceRuns) => !isWanted || failure !== undefined;
    if (![...this.#services.values()].every(isDone)) return;
    if (this.#awaitsReload) getLog().warning("Waiting for a change: no service runs any more");
    else void this.shutdown();
  }

  #failed(container: Container, reason: unknown): void {
    this.#live.delete(container);
    if (this.#services.get(container.manifest.name)?.current !== container) return;
    this.#failure ??= { reason };
    void this.shutdown();
  }
}

function formatSpecifier({ url, service }: ModuleSpecifier): string {
  return service === undefined ? url : `${url}:${service}`;
}

function reasonForTwo(first: ModuleSpecifier, second: ModuleSpecifier): string {
  if (first === second) return `${first.url} exports both`;
  if (first.url === second.url) return `${first.url} has been named before. Leave it out the second time`;
  return `${first.url} and ${second.url} have one each`;
}
