/**
 * Serves one service, from its start to its end, with its entrypoints and its pool.
 *
 * Invariant: the container finishes or gives back each call that it took in, before anything that the call
 * needs goes away. Therefore a stop has a fixed order. First the intake ends. Then the calls that wait are
 * given back. Then the calls that run finish, and their verdicts are sent. Dependencies and threads end last;
 * the transport outlives the container. Only an abort breaks the invariant. Then the broker gives back the
 * deliveries that were not acknowledged.
 */
import type { ServiceSettings } from "./settings.ts";
import { within } from "../waiting/abort.ts";
import { ContainerStoppingError } from "../message/errors.ts";
import {
  type DependencyRegistry,
  type Entrypoint,
  type EntrypointHost,
  type EntrypointRegistry,
  hostedEntrypoints,
  type HostHook,
  invocationOf,
} from "../hosting/host.ts";
import { type PoolNumbers, poolNumbers } from "./pool_numbers.ts";
import { DependencyHalves, noExtension } from "./dependency_halves.ts";
import { CallLimits } from "../hosting/limits/call_limits.ts";
import { everyOne } from "../waiting/every_one.ts";
import { runInHostHooks } from "../hosting/host_hooks.ts";
import type { Log } from "../log/log.ts";
import type { Manifest } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Clock } from "../waiting/clock.ts";
import type { CallWatch } from "../telemetry/telemetry.ts";
import type { Outcome } from "../message/outcome.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Pool } from "../pool/pool.ts";
import type { RunningCall } from "../pool/running_calls.ts";
import { sameEntrypoints } from "../service/same_entrypoints.ts";
import type { Transport } from "../message/transport.ts";
import type { Invocation } from "../channel/port.ts";

/**
 * Milliseconds that the rest of a stop may take once it is forced. Verdicts and answers are quick then, unless
 * the broker does not answer at all.
 */
const FORCED_STOP = 500;

/** Milliseconds that a start under way may take to end before a stop goes on without it. */
const START_LIMIT = 250;

/** Milliseconds that killed threads may take to end once a stop is forced. The process may end before them. */
const FORCED_END = 900;

/** State of a container between its start and its end. */
export type ContainerState = "starting" | "running" | "draining" | "stopped" | "failed";

const NEXT: Readonly<Record<ContainerState, readonly ContainerState[]>> = {
  starting: ["running", "draining", "failed"],
  running: ["draining", "failed"],
  draining: ["stopped", "failed"],
  stopped: [],
  failed: [],
};

/** The parts of a container. The container owns the pool and everything in `own`, but not the transport. */
export interface ContainerOptions {
  readonly manifest: Manifest;
  readonly pool: Pool;
  readonly transport: Transport;
  /** Sends what the service sends. */
  readonly messenger: Messenger;
  readonly config: PlainRecord;
  /** Settings of the service and its threads. */
  readonly settings: ServiceSettings;
  readonly entrypoints: EntrypointRegistry;
  readonly dependencies: DependencyRegistry;
  /** Hooks around each call, the first one outermost. @default {[]} */
  readonly around?: readonly HostHook[];
  readonly log: Log;
  /** Counts what the entrypoints see. */
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Names the spans of the calls, which the pool tells it about when they end. @default {no call has a trace} */
  readonly watch?: CallWatch | undefined;
  /** Objects that send the service's own calls. The container disposes them last. */
  readonly own?: readonly AsyncDisposable[];
}

/** Options of {@linkcode Container.shutdown}. */
export interface ShutdownOptions {
  /**
   * Aborting ends the waits, at most {@linkcode FORCED_END} later. The container kills its threads, and their
   * deliveries go back to the broker.
   */
  readonly signal?: AbortSignal;
  /** Whether the process goes on, with a newer version of the service or without it. @default {false} */
  readonly replaced?: boolean;
  /** Whether the process goes on without the service, which may start again. @default {false} */
  readonly paused?: boolean;
}

/** Serves one service, from one start to one end. Whoever starts the service again makes another one. */
export class Container implements AsyncDisposable {
  /** Resolves when the container has ended; rejects with the reason if the container failed. */
  readonly finished: Promise<void>;
  readonly #options: ContainerOptions;
  readonly #entrypoints: readonly Entrypoint[];
  readonly #halves: DependencyHalves;
  readonly #limits = new CallLimits();
  readonly #end = Promise.withResolvers<void>();
  readonly #aborting = new AbortController();
  /** Resolves when a forced stop no longer waits for the broker. */
  readonly #over = Promise.withResolvers<void>();
  /** Resolves when a forced stop no longer waits for its threads. */
  readonly #abandoned = Promise.withResolvers<void>();
  readonly #demandListeners: ((demand: number) => void)[] = [];
  readonly #former = new Map<Pool, Promise<void>>();
  #manifest: Manifest;
  #pool: Pool;
  #state: ContainerState = "starting";
  #beside = false;
  #starting: Promise<void> | undefined;
  #isStarting = false;
  #stopping: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;

  /** @throws {ConfigurationError} If no extension is registered for the kind of an entrypoint. */
  constructor(options: ContainerOptions) {
    this.#options = options;
    this.#manifest = options.manifest;
    this.#pool = options.pool;
    const { dependencies, transport, messenger, config, log, metrics, clock } = options;
    const host = { service: options.manifest.name, transport, messenger, config, log, metrics, clock };
    this.#halves = new DependencyHalves(dependencies, host);
    this.finished = this.#end.promise;
    this.finished.catch(() => {});
    this.#entrypoints = createEntrypoints(options.manifest, options.entrypoints, this.#host(), this.#limits);
  }

  get state(): ContainerState {
    return this.#state;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Settings of the service and its threads. */
  get settings(): ServiceSettings {
    return this.#options.settings;
  }

  /**
   * Numbers of threads, of calls in the threads, and of calls that wait for a thread. The numbers include the
   * threads of former versions that still finish their calls.
   */
  get pool(): PoolNumbers {
    return poolNumbers(this.pools);
  }

  /** The calls in the threads, those of former versions included, the oldest first. */
  get running(): readonly RunningCall[] {
    return this.pools.flatMap(({ running }) => running).sort((a, b) => b.age - a.age);
  }

  /** The pool of this version, and those of former versions that still finish their calls. */
  get pools(): readonly Pool[] {
    return [this.#pool, ...this.#former.keys()];
  }

  /**
   * Sets up the dependencies and all entrypoints, then lets work in. A failure stops all that has started.
   *
   * A container starts once: its threads end with it.
   *
   * @param options.beside Whether other containers serve already and go on if this container fails. Then
   * everything that the containers share stays open.
   * @throws {TypeError} If the container has been started or stopped before.
   * @throws {ContainerStoppingError} If the container is stopped while it starts.
   */
  async start({ beside = false }: { readonly beside?: boolean } = {}): Promise<void> {
    if (this.#starting !== undefined || this.#stopping !== undefined) {
      throw new TypeError(
        `Cannot start service "${this.#manifest.name}": it is ${this.#state} already, and a container starts only ` +
          "once. Make another one",
      );
    }
    this.#beside = beside;
    this.#isStarting = true;
    const starting = this.#starting = this.#start().finally(() => this.#isStarting = false);
    try {
      await starting;
    } catch (error) {
      if (this.#stopping === undefined || !(error instanceof ContainerStoppingError)) this.#fail(error);
      await this.#stopping;
      throw error;
    }
  }

  async #start(): Promise<void> {
    await this.setUpDependencies();
    this.#requireNoStop();
    await everyOne(this.#entrypoints.map((entrypoint) => entrypoint.setup?.()));
    this.#requireNoStop();
    await everyOne(this.#entrypoints.map((entrypoint) => entrypoint.start()));
    if (this.#stopping === undefined) return this.#enter("running");
    // The stop may not have waited for an entrypoint that was so late.
    await everyOne(this.#entrypoints.map((entrypoint) => entrypoint.stop({ replaced: this.#beside })));
    await everyOne(this.#entrypoints.map(async (entrypoint) => await entrypoint[Symbol.asyncDispose]()));
    // All have started. What has failed since then is told by `finished`.
    if (this.#failure === undefined) this.#requireNoStop();
  }

  #requireNoStop(): void {
    if (this.#stopping === undefined) return;
    if (this.#failure !== undefined) throw this.#failure.reason;
    throw new ContainerStoppingError(
      `Cannot start service "${this.#manifest.name}": it was stopped meanwhile`,
    );
  }

  /** Runs a call without the transport. The call names its entrypoint by the place in the manifest. */
  run(invocation: Invocation): Promise<Outcome> {
    return this.#pool.run(invocation);
  }

  /**
   * Keeps the pool from starting more threads as long as it has one: the module's files are no longer those
   * that its threads have loaded.
   */
  freeze(): void {
    this.#pool.freeze();
  }

  /**
   * Goes on with the threads of a newer version. New calls run there; the former threads finish the calls
   * that they run, and end.
   *
   * @param version Manifest and pool of the newer version. The pool has started; the container owns it from
   * now on.
   * @throws {TypeError} If the entrypoints of the newer version differ, or the container does not run. In
   * both cases the caller still owns the pool.
   */
  moveTo({ manifest, pool }: { readonly manifest: Manifest; readonly pool: Pool }): void {
    const { name, entrypoints } = this.#manifest;
    if (!sameEntrypoints(manifest.entrypoints, entrypoints)) {
      throw new TypeError(`Cannot move service "${name}" to other threads: they have other entrypoints`);
    }
    if (this.#state !== "running") {
      throw new TypeError(`Cannot move service "${name}" to other threads: it is ${this.#state}`);
    }
    const former = this.#pool;
    this.#manifest = manifest;
    this.#pool = pool;
    const { demand } = former;
    former.handOver(pool);
    if (pool.demand !== demand) this.changeDemand(pool.demand);
    const end = former.shutdown({ signal: this.#aborting.signal }).catch((error) => this.#complain(error));
    this.#former.set(former, end.finally(() => this.#former.delete(former)));
  }

  /** Tells the entrypoints how many calls they may hold. The pool's `onDemand` has to call this method. */
  changeDemand(demand: number): void {
    for (const listener of this.#demandListeners) listener(demand);
  }

  /**
   * Stops politely: ends the intake, then waits for the running calls, then ends dependencies and threads.
   * The method is idempotent: a second call waits for the same end.
   */
  shutdown({ signal, ...end }: ShutdownOptions = {}): Promise<void> {
    const abort = () => {
      if (this.#aborting.signal.aborted) return;
      this.#tellOfCut(signal?.reason);
      this.#aborting.abort();
      this.#limits.giveBack("stopping");
      this.#pool.abort();
      const limits = [
        setTimeout(() => this.#over.resolve(), FORCED_STOP),
        setTimeout(() => this.#abandoned.resolve(), FORCED_END),
      ];
      void this.finished.catch(() => {}).then(() => limits.forEach(clearTimeout));
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    return this.#stopping ??= this.#stop(end).finally(() => signal?.removeEventListener("abort", abort));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #tellOfCut(reason: unknown): void {
    const { active } = this.pool;
    if (active === 0) return;
    const isLate = reason instanceof DOMException && reason.name === "TimeoutError";
    const why = isLate ? "the time for stopping is over" : "the service is to stop at once";
    const calls = `${active} running ${active === 1 ? "call" : "calls"}`;
    this.#options.log.warning(`Cut ${calls} short: ${why}. Messages that the broker delivered go back to it`);
  }

  async #stop(end: Pick<ShutdownOptions, "replaced" | "paused">): Promise<void> {
    const { own = [] } = this.#options;
    const pool = this.#pool;
    if (this.#failure === undefined) this.#enter("draining");
    const problems: unknown[] = [];
    const attempt = async (step: PromiseLike<unknown>, limit = this.#over) => {
      try {
        await Promise.race([step, limit.promise]);
      } catch (error) {
        problems.push(error);
      }
    };
    if (this.#isStarting) await within(START_LIMIT, this.#starting!.catch(() => {}));
    await Promise.all(this.#entrypoints.map((entrypoint) => attempt(entrypoint.stop(end))));
    this.#limits.giveBack("shed");
    pool.shed();
    await attempt(Promise.all(this.#former.values()));
    await attempt(pool.drain());
    await Promise.all(this.#entrypoints.map((entrypoint) => attempt(entrypoint[Symbol.asyncDispose]())));
    await attempt(pool.shutdown({ signal: this.#aborting.signal }), this.#abandoned);
    await attempt(this.#halves[Symbol.asyncDispose]());
    for (const held of own) await attempt(held[Symbol.asyncDispose]());
    for (const problem of problems) this.#complain(problem);
    if (this.#failure === undefined) {
      this.#enter("stopped");
      this.#end.resolve();
    } else this.#end.reject(this.#failure.reason);
  }

  /**
   * Sets up in the main thread what the dependencies of this version, or of a newer one, need.
   *
   * @throws {ConfigurationError} If no extension is registered for the kind of a dependency.
   */
  setUpDependencies({ dependencies }: Manifest = this.#manifest): Promise<void> {
    return this.#halves.setUp(dependencies);
  }

  #complain(problem: unknown): void {
    const text = `Cannot stop service "${this.#manifest.name}" cleanly: ${String(problem)}`;
    this.#options.log.error(text, { error: problem });
  }

  #fail(reason: unknown): void {
    if (this.#failure !== undefined || !NEXT[this.#state].includes("failed")) return;
    this.#failure = { reason };
    this.#enter("failed");
    void this.shutdown({ replaced: this.#beside });
  }

  #enter(state: ContainerState): void {
    if (!NEXT[this.#state].includes(state)) return;
    this.#state = state;
  }

  #host(): EntrypointHost {
    const { transport, config, log, metrics, clock, watch, around = [] } = this.#options;
    const service = this.#manifest.name;
    const currentPool = () => this.#pool;
    const run: EntrypointHost["run"] = (entry, payload, cancellation) =>
      this.#pool.run(invocationOf(entry, payload, watch?.begin(entry.index, payload)), cancellation);
    return {
      service,
      transport,
      config,
      log,
      metrics,
      clock,
      signal: this.#aborting.signal,
      get demand() {
        return currentPool().demand;
      },
      onDemand: (listener) => void this.#demandListeners.push(listener),
      least: ({ index }) => this.#pool.least(index),
      run: around.length === 0 ? run : (entry, payload, cancellation) =>
        runInHostHooks(
          around,
          { service, entry, payload, log },
          (payload) => run(entry, payload, cancellation),
        ),
      shed: () => this.#pool.shed(),
      watch: (task) => void task.catch((reason) => this.#fail(reason)),
    };
  }
}

function createEntrypoints(
  manifest: Manifest,
  registry: EntrypointRegistry,
  host: EntrypointHost,
  limits: CallLimits,
): readonly Entrypoint[] {
  const { name } = manifest;
  const byKind = Map.groupBy(hostedEntrypoints(manifest), ({ kind }) => kind);
  return [...byKind].map(([kind, entries]) => {
    const factory = registry[kind];
    if (factory === undefined) throw noExtension(name, "entrypoints", kind, registry);
    return factory(entries, limits.hostFor(entries, host));
  });
}
