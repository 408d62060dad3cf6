/**
 * A service as its runner shows it, and the runs behind it: each start of the service is the start of a new
 * {@linkcode Container}, which runs once.
 *
 * Invariant: a start, a stop or a restart waits until the change before it has ended. Only what nobody waits for
 * any more is cut short: a stop gives the starts before it up, and an aborted stop forces the one that runs.
 */
import { timeLimit } from "../waiting/abort.ts";
import type { Turns } from "../waiting/turns.ts";
import type { Container, ContainerState } from "./container.ts";
import type { Launched } from "./launcher.ts";
import type { Manifest, ManifestDependency, ManifestEntrypoint } from "../service/manifest.ts";
import { ContainerStoppingError, ServiceLoadError } from "../message/errors.ts";
import type { Invocation } from "../channel/port.ts";
import type { Outcome } from "../message/outcome.ts";
import type { PooledThread } from "../pool/pooled_thread.ts";
import type { RunningCall } from "../pool/running_calls.ts";
import type { PoolNumbers } from "./pool_numbers.ts";
import type { ServiceSettings } from "./settings.ts";
import { type ProcessUsage, processUsage } from "../spawning/process/process_usage.ts";
import type { ThreadPlace } from "../spawning/spawner.ts";

/** What a container consists of, as plain data. */
export interface ContainerExtensions {
  /** The entrypoints in the order of definition. A method with several entrypoints is there several times. */
  readonly entrypoints: readonly Pick<ManifestEntrypoint, "kind" | "method" | "options">[];
  /** The dependencies. The kind is undefined if the dependency lives in the threads alone. */
  readonly dependencies: readonly Pick<ManifestDependency, "key" | "kind">[];
}

/** A thread of a service, as far as it can be inspected. */
export type InspectableThread = Pick<PooledThread, "name" | "assigned" | "heardAt" | "inspections">;

/** Options of the changes of a container. */
export interface ChangeOptions {
  /** Aborting gives a start up, and turns a polite stop into one at once. */
  readonly signal?: AbortSignal;
}

/**
 * One service of a runner. The object stays the same while the service is stopped, started and reloaded.
 *
 * Changes of a service happen one after the other, in the order of the calls, also those of a reload.
 */
export class ServiceContainer {
  /** Name of the service. */
  readonly name: string;
  readonly #runs: ServiceRuns;

  /** A runner makes its containers. */
  constructor(name: string, runs: ServiceRuns) {
    this.name = name;
    this.#runs = runs;
  }

  /**
   * What the service does at present: `"starting"`, `"running"`, `"draining"` (calls finish before the stop),
   * `"stopped"` or `"failed"`. One that has failed makes its runner stop all services, unless its process has crashed
   * again and again: then the others go on, and {@linkcode ServiceContainer.failure} says why.
   */
  get state(): ContainerState {
    const { isStarting, isStopped, failure, current } = this.#runs;
    return isStarting ? "starting" : isStopped && failure !== undefined ? "failed" : current.state;
  }

  /**
   * Why the service has been given up: its process has crashed again and again. Undefined if it has not, or has started
   * again since.
   */
  get failure(): Error | undefined {
    return this.#runs.failure;
  }

  /**
   * Whether the service is to run: false from {@linkcode ServiceContainer.stop} on, until
   * {@linkcode ServiceContainer.start}. While it is false, the container does not count for `/readyz`. A service
   * whose start has failed, or that has been given up, is still wanted, so the process is not ready.
   */
  get isWanted(): boolean {
    return this.#runs.isWanted;
  }

  /** Name, entrypoints and dependencies of the service, in full. While it is stopped, those of its last run. */
  get manifest(): Manifest {
    return this.#runs.current.manifest;
  }

  /**
   * What the container consists of, as Nameko's `container.extensions` tells it: its entrypoints with kind, method
   * and options, and its dependencies with key and kind. For readers and monitors, it is plain data of the version
   * that runs now, and none of the live parts. While the service is stopped, it is that of the last run.
   */
  get extensions(): ContainerExtensions {
    const { entrypoints, dependencies } = this.manifest;
    return {
      entrypoints: entrypoints.map(({ kind, method, options }) => ({ kind, method, options })),
      dependencies: dependencies.map(({ key, kind }) => ({ key, kind })),
    };
  }

  /** Settings of the service and its threads. */
  get settings(): ServiceSettings {
    return this.#runs.current.settings;
  }

  /**
   * Numbers of threads, of calls in the threads, and of calls that wait for a thread. The numbers include the
   * threads of former versions that still finish their calls.
   */
  get pool(): PoolNumbers {
    return this.#runs.current.pool;
  }

  /** Where the threads of the service are. */
  get place(): ThreadPlace {
    return this.#runs.current.pools[0]!.place;
  }

  /** What the process of the service's own uses; undefined if it has none, or the system does not tell. */
  get processUsage(): ProcessUsage | undefined {
    const { ownPid } = this.place;
    return ownPid === undefined ? undefined : processUsage(ownPid);
  }

  /** The calls in the threads, those of former versions included, the oldest first. */
  get running(): readonly RunningCall[] {
    return this.#runs.current.running;
  }

  /**
   * Makes the manifest with the details by which the entrypoints describe themselves. The thread with the fewest calls
   * finds them out.
   *
   * @throws {ServiceLoadError} If an entrypoint cannot be described, or no thread is there that could do it.
   */
  async describe(): Promise<Manifest> {
    const { manifest } = this;
    const [thread] = [...this.#runs.current.pools[0]!.ready].sort((a, b) => a.assigned - b.assigned);
    if (thread === undefined) {
      throw new ServiceLoadError(
        `Cannot describe service "${this.name}": none of its threads is ready. Try again when it runs`,
      );
    }
    const exported = await thread.describe();
    return exported.find(({ manifest: { name } }) => name === manifest.name)?.manifest ?? manifest;
  }

  /**
   * The threads that can get calls, those of former versions included, to be inspected.
   *
   * @internal
   */
  get threads(): readonly InspectableThread[] {
    return this.#runs.current.pools.flatMap(({ ready }) => [...ready]);
  }

  /**
   * Runs a call without the transport. The call names its entrypoint by the place in the manifest.
   *
   * @internal
   */
  run(invocation: Invocation): Promise<Outcome> {
    return this.#runs.current.run(invocation);
  }

  /**
   * Starts the service again after a stop: loads its code anew, in new threads, and sets its entrypoints up.
   * The messages that waited in its queues are handled. Does nothing if the service runs.
   *
   * A start that fails leaves the service stopped and the other services alone, and may be tried again.
   *
   * @param options.signal Aborting gives the start up.
   * @throws {ServiceLoadError} If the code does not load, or no longer exports the service.
   * @throws {ConfigurationError} If an entrypoint or a dependency cannot be made.
   * @throws {BrokerError} If the broker refuses what the service declares.
   * @throws {ContainerStoppingError} If the service or its runner is stopped meanwhile.
   */
  start(options: ChangeOptions = {}): Promise<void> {
    return this.#runs.start(options);
  }

  /**
   * Stops this service politely, and by force after the configured `grace`. The other services go on, with the
   * HTTP server and the broker. Does nothing if the service is stopped.
   *
   * Meanwhile, messages wait in those queues that outlive their consumers: those of RPC, reliable events and
   * `consume`. An RPC caller waits until the service answers or its own time is up. Paths of the service answer
   * 503.
   *
   * @param options.signal Aborting stops the service at once. Its deliveries go back to the broker.
   */
  stop(options: ChangeOptions = {}): Promise<void> {
    return this.#runs.stop(options);
  }

  /**
   * Stops the service as {@linkcode ServiceContainer.stop} does, and then starts it, with nothing in between.
   * No message is lost. For other code without a break, use the runner's `reload()`.
   *
   * @param options.signal Aborting stops the service at once, if it has not stopped yet, and gives the start up.
   * @throws Whatever {@linkcode ServiceContainer.start} throws.
   */
  restart(options: ChangeOptions = {}): Promise<void> {
    return this.#runs.restart(options);
  }
}

/** What the runs of a service need of the set that the service is in. */
export interface RunsHost {
  readonly turns: Turns;
  /** Milliseconds that a polite stop may take. */
  readonly grace: number;
  /** Aborts when the whole set is stopped. */
  readonly ending: AbortSignal;
  /** Loads and starts the service in a new container. If it fails, nothing runs. */
  startAgain(name: string, former: Launched, signal: AbortSignal): Promise<void>;
}

/** The runs of one service, of which the set has the latest one. */
export class ServiceRuns {
  /** The latest run, which may have ended. The set puts a newer one in its place. */
  launched: Launched;
  readonly container: ServiceContainer;
  readonly #name: string;
  readonly #host: RunsHost;
  /** The starts that wait or run. Aborting gives a start up. */
  readonly #starts = new Set<AbortController>();
  /** Aborting forces the stop that runs, or the next one. */
  #forcing = new AbortController();
  #failure: Error | undefined;
  #isWanted = true;
  #isStarting = false;

  constructor(name: string, launched: Launched, host: RunsHost) {
    this.#name = name;
    this.launched = launched;
    this.#host = host;
    this.container = new ServiceContainer(name, this);
  }

  /** The container of the latest run. */
  get current(): Container {
    return this.launched.container;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Why the service has been given up; undefined if it has not, or has started again since. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether a new run starts, which is not the latest one yet. */
  get isStarting(): boolean {
    return this.#isStarting && this.isStopped;
  }

  /** Whether the service does not run, because somebody has stopped it or given it up. */
  get isStopped(): boolean {
    return this.current.state === "stopped";
  }

  /** See {@linkcode ServiceContainer.start}. */
  start({ signal }: ChangeOptions): Promise<void> {
    return this.#startAfter(() => Promise.resolve(), signal);
  }

  /** See {@linkcode ServiceContainer.restart}. */
  restart({ signal }: ChangeOptions): Promise<void> {
    return this.#startAfter(() => this.#end(signal), signal);
  }

  /** Lets a newer run take the place of the latest one. */
  replace(launched: Launched): void {
    if (launched.container !== this.launched.container) this.#failure = undefined;
    this.launched = launched;
  }

  /** Stops the service, which is still missed, for good reason. It may start again. */
  async giveUp(failure: Error): Promise<void> {
    this.#failure = failure;
    await this.#stop();
  }

  /** See {@linkcode ServiceContainer.stop}. */
  async stop(options: ChangeOptions): Promise<void> {
    this.#isWanted = false;
    await this.#stop(options);
  }

  async #stop({ signal }: ChangeOptions = {}): Promise<void> {
    for (const start of this.#starts) start.abort();
    const force = () => this.#forcing.abort();
    if (signal?.aborted) force();
    else signal?.addEventListener("abort", force, { once: true });
    try {
      await this.#host.turns.take([this], () => this.#end());
    } finally {
      signal?.removeEventListener("abort", force);
    }
  }

  async #startAfter(before: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const { turns, ending } = this.#host;
    if (ending.aborted) throw this.#stopping("its runner has been stopped. Make another one");
    this.#isWanted = true;
    const givingUp = new AbortController();
    this.#starts.add(givingUp);
    const either = AbortSignal.any([ending, givingUp.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      await turns.take([this], async () => {
        either.throwIfAborted();
        await before();
        either.throwIfAborted();
        if (this.isStopped) await this.#startAgain(either);
      });
    } catch (error) {
      if (givingUp.signal.aborted) throw this.#stopping("it was stopped meanwhile");
      if (ending.aborted) throw this.#stopping("its runner was stopped meanwhile");
      throw error;
    } finally {
      this.#starts.delete(givingUp);
    }
  }

  async #startAgain(signal: AbortSignal): Promise<void> {
    this.#isStarting = true;
    try {
      await this.#host.startAgain(this.#name, this.launched, signal);
    } finally {
      this.#isStarting = false;
    }
  }

  /**
   * Ends the run, and leaves open what the service shares with others.
   *
   * @param signal Aborting forces the end.
   */
  async #end(signal?: AbortSignal): Promise<void> {
    const { signal: forcing } = this.#forcing;
    using limit = timeLimit(this.#host.grace, signal ? AbortSignal.any([forcing, signal]) : forcing);
    await this.current.shutdown({ signal: limit.signal, replaced: true, paused: true });
    this.#forcing = new AbortController();
  }

  #stopping(why: string): ContainerStoppingError {
    return new ContainerStoppingError(`Cannot start service "${this.#name}": ${why}`);
  }
}
