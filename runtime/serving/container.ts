/**
 * One service being served: its entrypoints, its pool, its life.
 *
 * Invariant: what was taken in is finished or given back before anything it needs goes away. Stopping goes in
 * the order intake, calls that wait (given back), calls that run, verdicts, dependencies and threads; the
 * transport outlives the container. It fails only by `abort`, and then the broker gives back what was unacked.
 */
import type { ServiceSettings } from "./settings.ts";
import { ConfigurationError, ServiceLoadError } from "../message/errors.ts";
import {
  type DependencyRegistry,
  type Entrypoint,
  type EntrypointHost,
  type EntrypointRegistry,
  hostedEntrypoints,
  invocationOf,
} from "../hosting/host.ts";
import type { Log } from "../log/log.ts";
import type { Manifest } from "../service/manifest.ts";
import type { Outcome } from "../message/outcome.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Pool } from "../pool/pool.ts";
import { sameEntrypoints } from "../pool/same_entrypoints.ts";
import type { Transport } from "../message/transport.ts";
import type { Invocation } from "../channel/port.ts";

/** Where a container is in its life. */
export type ContainerState = "starting" | "running" | "draining" | "stopped" | "failed";

const NEXT: Readonly<Record<ContainerState, readonly ContainerState[]>> = {
  starting: ["running", "draining", "failed"],
  running: ["draining", "failed"],
  draining: ["stopped", "failed"],
  stopped: [],
  failed: [],
};

/** What a container is made of. It owns the pool and whatever `own` holds, not the transport. */
export interface ContainerOptions {
  readonly manifest: Manifest;
  readonly pool: Pool;
  readonly transport: Transport;
  readonly config: PlainRecord;
  /** What its threads are set to. */
  readonly settings: ServiceSettings;
  readonly entrypoints: EntrypointRegistry;
  readonly dependencies: DependencyRegistry;
  readonly log: Log;
  /** Disposed last: what the service's own calls are sent with. */
  readonly own?: readonly AsyncDisposable[];
}

/** Serves one service. */
export class Container implements AsyncDisposable {
  /** Settles when the container has ended; rejects with the reason if it failed. */
  readonly finished: Promise<void>;
  readonly #options: ContainerOptions;
  readonly #entrypoints: readonly Entrypoint[];
  readonly #end = Promise.withResolvers<void>();
  readonly #aborting = new AbortController();
  readonly #demandListeners: ((demand: number) => void)[] = [];
  readonly #former = new Map<Pool, Promise<void>>();
  #manifest: Manifest;
  #pool: Pool;
  #state: ContainerState = "starting";
  #beside = false;
  #stopping: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;

  /** @throws {ConfigurationError} If no entrypoint kind is registered for an entry of the manifest. */
  constructor(options: ContainerOptions) {
    this.#options = options;
    this.#manifest = options.manifest;
    this.#pool = options.pool;
    this.finished = this.#end.promise;
    this.finished.catch(() => {});
    this.#entrypoints = createEntrypoints(options.manifest, options.entrypoints, this.#host());
  }

  get state(): ContainerState {
    return this.#state;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** What its threads are set to. */
  get settings(): ServiceSettings {
    return this.#options.settings;
  }

  /** Threads, and the calls in and before them; those of former versions, which finish their calls, included. */
  get pool(): { readonly size: number; readonly active: number; readonly queued: number } {
    const pools = [this.#pool, ...this.#former.keys()];
    const sum = (count: (pool: Pool) => number) => pools.reduce((total, pool) => total + count(pool), 0);
    return {
      size: sum((pool) => pool.size),
      active: sum((pool) => pool.active),
      queued: sum((pool) => pool.queued),
    };
  }

  /**
   * Sets up all entrypoints, then lets work in. A failure stops what was started.
   *
   * @param options.beside Whether other containers serve already, and go on should this one fail: what they share
   * stays open.
   */
  async start({ beside = false }: { readonly beside?: boolean } = {}): Promise<void> {
    this.#beside = beside;
    try {
      await this.setUpDependencies();
      await everyOne(this.#entrypoints.map((entrypoint) => entrypoint.setup?.()));
      if (this.#stopping !== undefined) return;
      await everyOne(this.#entrypoints.map((entrypoint) => entrypoint.start()));
      if (this.#stopping === undefined) this.#enter("running");
    } catch (error) {
      this.#fail(error);
      await this.#stopping;
      throw error;
    }
  }

  /** Runs an entrypoint by hand, past the transport: the `index`th of the manifest. */
  run(invocation: Invocation): Promise<Outcome> {
    return this.#pool.run(invocation);
  }

  /** Starts no more threads while there is one: the module's files are no longer what it has loaded. */
  freeze(): void {
    this.#pool.freeze();
  }

  /**
   * Goes on with the threads of a newer version: new calls run there. The former ones finish what they run, and end.
   *
   * @param version What it is from now on, with a pool that has started and is the container's from here on.
   * @throws {TypeError} If its entrypoints are others, or the container does not run; the pool remains the caller's.
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

  /** Tells the entrypoints how many calls they may hold; what the pool's `onDemand` is for. */
  changeDemand(demand: number): void {
    for (const listener of this.#demandListeners) listener(demand);
  }

  /**
   * Stops politely: no more intake, then running calls, then dependencies and threads. Idempotent; a second
   * call waits for the same end.
   *
   * @param options.signal Aborting ends the waits: threads are killed, and their deliveries go back.
   * @param options.replaced Whether another container goes on with a newer version of the service.
   */
  shutdown(
    { signal, replaced = false }: { readonly signal?: AbortSignal; readonly replaced?: boolean } = {},
  ): Promise<void> {
    const abort = () => {
      this.#tellOfCut();
      this.#aborting.abort();
      this.#pool.abort();
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    return this.#stopping ??= this.#stop(replaced).finally(() => signal?.removeEventListener("abort", abort));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #tellOfCut(): void {
    const { active } = this.pool;
    if (active === 0) return;
    this.#options.log.warning(
      `Cut ${active} running ${active === 1 ? "call" : "calls"} short: the time for stopping is over. ` +
        "What the broker delivered goes back to it",
    );
  }

  async #stop(replaced: boolean): Promise<void> {
    const { own = [] } = this.#options;
    const pool = this.#pool;
    if (this.#failure === undefined) this.#enter("draining");
    const problems: unknown[] = [];
    const attempt = async (step: PromiseLike<unknown>) => {
      try {
        await step;
      } catch (error) {
        problems.push(error);
      }
    };
    await Promise.all(this.#entrypoints.map((entrypoint) => attempt(entrypoint.stop({ replaced }))));
    pool.shed();
    await Promise.all(this.#former.values());
    await attempt(pool.drain());
    await Promise.all(this.#entrypoints.map((entrypoint) => attempt(entrypoint[Symbol.asyncDispose]())));
    await attempt(pool.shutdown({ signal: this.#aborting.signal }));
    for (const held of own) await attempt(held[Symbol.asyncDispose]());
    for (const problem of problems) this.#complain(problem);
    if (this.#failure === undefined) {
      this.#enter("stopped");
      this.#end.resolve();
    } else this.#end.reject(this.#failure.reason);
  }

  /**
   * Sets up in the main thread what dependencies need, those of another version too.
   *
   * @throws {ConfigurationError} If no dependency kind is registered for one of them.
   */
  async setUpDependencies({ name, dependencies }: Manifest = this.#manifest): Promise<void> {
    const { dependencies: registry, transport, config, log } = this.#options;
    for (const dependency of dependencies) {
      if (dependency.kind === undefined) continue;
      const setUp = registry[dependency.kind];
      if (setUp === undefined) throw noExtension(name, "dependencies", dependency.kind);
      await setUp(dependency, { service: name, transport, config, log });
    }
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
    const { transport, config, log } = this.#options;
    const currentPool = () => this.#pool;
    return {
      service: this.#manifest.name,
      transport,
      config,
      log,
      signal: this.#aborting.signal,
      get demand() {
        return currentPool().demand;
      },
      onDemand: (listener) => void this.#demandListeners.push(listener),
      run: (entry, payload, cancellation) => this.#pool.run(invocationOf(entry, payload), cancellation),
      shed: () => this.#pool.shed(),
      watch: (task) => void task.catch((reason) => this.#fail(reason)),
    };
  }
}

function createEntrypoints(
  manifest: Manifest,
  registry: EntrypointRegistry,
  host: EntrypointHost,
): readonly Entrypoint[] {
  const { name } = manifest;
  const byKind = Map.groupBy(hostedEntrypoints(manifest), ({ kind }) => kind);
  if (byKind.size === 0) {
    throw new ServiceLoadError(`Cannot serve service "${name}": it has no entrypoints`);
  }
  return [...byKind].map(([kind, entries]) => {
    const factory = registry[kind];
    if (factory === undefined) throw noExtension(name, "entrypoints", kind);
    return factory(entries, host);
  });
}

function noExtension(service: string, what: string, kind: string): ConfigurationError {
  return new ConfigurationError(
    `Cannot serve service "${service}": no extension provides ${what} of kind "${kind}". Pass it to run()`,
  );
}

/** Waits for all even if one fails: what is still starting when the stop begins would be missed by it. */
async function everyOne(steps: readonly (Promise<void> | undefined)[]): Promise<void> {
  const failure = (await Promise.allSettled(steps)).find((step) => step.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
