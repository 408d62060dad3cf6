/**
 * This file starts the threads of a pool, restarts them with backoff, replaces them, retires them and stops them.
 *
 * Invariant: a thread is in `ready` exactly while the pool can give it calls. That time begins when the
 * dependencies of the thread are set up. It ends when the thread is gone, when the crew retires it, or when
 * another thread has taken its place. While starts fail, the crew makes one attempt at a time, and waits longer
 * before each.
 */
import { timeLimit } from "../waiting/abort.ts";
import { ServiceLoadError } from "../message/errors.ts";
import type { Demand } from "./demand.ts";
import { type Job, SHORT_CALL } from "./job.ts";
import type { Log, LogRecord, LogThreshold } from "../log/log.ts";
import type { ManifestEntrypoint } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { KnownParameters } from "../service/declared/parameters.ts";
import type { PoolLimits } from "./pool_options.ts";
import type { ServeMessage, ServiceExport } from "../channel/port.ts";
import { COLD_PATIENCE, GROW_PATIENCE, QUEUE_PATIENCE, STARTING_LIMIT, threadsWanted } from "./placement.ts";
import { Restarts } from "./renewal/restarts.ts";
import type { RenewalLimits } from "./renewal/wear.ts";
import { firstDifference, sameEntrypoints } from "../service/same_entrypoints.ts";
import type { ThreadSpawner } from "../spawning/spawner.ts";
import { PooledThread, type ThreadEvents } from "./pooled_thread.ts";

/** Options of {@linkcode Crew}. */
export interface CrewOptions {
  readonly spawner: ThreadSpawner;
  readonly limits: PoolLimits;
  readonly renewal: RenewalLimits;
  readonly serve: Omit<ServeMessage, "logThreshold">;
  /** Gives the least severe level of log records that a thread sends when it begins to serve. */
  readonly logThreshold: () => LogThreshold;
  /**
   * Entrypoints that the service must have in each thread, because a call names its entrypoint by its place.
   * Undefined accepts any entrypoints.
   */
  readonly entrypoints: readonly ManifestEntrypoint[] | undefined;
  readonly messenger: Messenger;
  readonly events: ThreadEvents;
  /** Called when the pool can give calls to another thread. */
  readonly onReady: () => void;
  /** Called when a ready thread has been used as much as it may be. */
  readonly onWorn: () => void;
  /** Called with the calls that a thread had not started when another one took its place. */
  readonly onLeft: (unstarted: readonly Job[]) => void;
  /** Called when a start has failed. {@linkcode Crew.retry} is due at `time`. */
  readonly onRetryAt: (time: number) => void;
  readonly onLog: (record: LogRecord) => void;
  readonly log: Log;
}

/** Numbers of the threads of a pool. */
export interface ThreadCounts {
  /** Threads that take calls. */
  readonly ready: number;
  /** Threads that run a call. */
  readonly busy: number;
  /** Threads that start. */
  readonly starting: number;
  /** Starts that have failed since the last one that did not. */
  readonly failedStarts: number;
}

/** Called when a thread has left, with the milliseconds that the start of the other one took. */
type OnLeft = (took: number) => void;

/** The threads of one pool. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #restarts: Restarts;
  readonly #threads = new Set<PooledThread>();
  readonly #ready = new Set<PooledThread>();
  /** Threads in whose place others are. They finish the calls that they have started. */
  readonly #leaving = new Set<PooledThread>();
  /** The thread that leaves when the next one is ready. */
  #replaced: { readonly thread: PooledThread; readonly onLeft: OnLeft } | undefined;
  /**
   * Parameters of the handlers, as the first thread that serves knows them. Resolves with undefined if that
   * thread did not start to serve.
   */
  #parameters: Promise<KnownParameters | undefined> | undefined;
  #spawned = 0;
  #logThreshold: LogThreshold;
  #starting = 0;
  #started = false;
  #frozen = false;
  #closed = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#restarts = new Restarts(options);
    this.#logThreshold = options.logThreshold();
  }

  /** Threads that the pool can give calls to. */
  get ready(): ReadonlySet<PooledThread> {
    return this.#ready;
  }

  /** Threads that have calls, or can get some. */
  get working(): Iterable<PooledThread> {
    return this.#leaving.size === 0 ? this.#ready : [...this.#ready, ...this.#leaving];
  }

  /** Number of threads, including those that start and those that retire or leave. */
  get size(): number {
    return this.#threads.size;
  }

  get starting(): number {
    return this.#starting;
  }

  get counts(): ThreadCounts {
    let busy = 0;
    for (const { assigned } of this.working) if (assigned > 0) busy++;
    return {
      ready: this.#ready.size,
      busy,
      starting: this.#starting,
      failedStarts: this.#restarts.failed,
    };
  }

  /** Number of threads that the service has for further calls, or soon will have. `maxWorkers` limits it. */
  get #staff(): number {
    return this.#threads.size - this.#leaving.size - (this.#replaced === undefined ? 0 : 1);
  }

  /** Whether the pool may start another thread. While starts fail it may not: the crew itself tries again. */
  get mayGrow(): boolean {
    return this.#restarts.failed === 0 && !this.#suffices;
  }

  /** Whether the crew needs no other thread. A frozen crew is what is left of a version: one is enough. */
  get #suffices(): boolean {
    return this.#frozen && this.#threads.size > this.#leaving.size;
  }

  /** Time at which the crew tries a failed start again; infinite if no start has failed. */
  get retryAt(): number {
    return this.#restarts.retryAt;
  }

  /** Whether some ready thread has nothing to do. */
  get hasIdle(): boolean {
    for (const thread of this.#ready) if (thread.assigned === 0) return true;
    return false;
  }

  /** Whether all ready threads have been busy since `time`, or longer, without settling a call. */
  isBusySince(time: number): boolean {
    for (const { assigned, busySince } of this.#ready) if (assigned === 0 || busySince > time) return false;
    return true;
  }

  /** Whether a ready thread has been busy since `time`, or longer, without settling a call. */
  hasBusySince(time: number): boolean {
    for (const { assigned, busySince } of this.#ready) if (assigned > 0 && busySince <= time) return true;
    return false;
  }

  /**
   * Starts the first `minWorkers` threads, a few at a time.
   *
   * @param first A thread that has loaded the module already. @default {a new thread}
   * @throws {ServiceLoadError} If the service does not load, or a dependency cannot be set up.
   */
  async start(first?: PooledThread): Promise<void> {
    let missing = this.#options.limits.minWorkers;
    const startSome = async (thread?: PooledThread) => {
      for (let next = thread; missing > 0 && !this.#closed; next = undefined) {
        missing--;
        await this.#boot(next);
      }
    };
    try {
      await Promise.all(
        Array.from({ length: STARTING_LIMIT }, (_, lane) => startSome(lane === 0 ? first : undefined)),
      );
      this.#started = true;
    } finally {
      missing = 0;
    }
  }

  async #boot(thread: PooledThread = this.#spawn()): Promise<void> {
    const { limits: { loadTimeout }, renewal, serve, messenger, events, onReady, onWorn } = this.#options;
    const begunAt = performance.now();
    this.#threads.add(thread);
    this.#starting++;
    const limit = setTimeout(() => thread.kill(`it did not load within ${loadTimeout} ms`), loadTimeout);
    try {
      this.#check(await thread.loaded());
      const parameters = await this.#parameters;
      thread.wear.begin(renewal, onWorn);
      const served = thread.serve(
        { ...serve, logThreshold: this.#logThreshold, ...(parameters && { parameters }) },
        messenger,
        events,
      );
      if (parameters === undefined) this.#parameters = served.catch(() => undefined);
      await served;
      this.#restarts.succeed();
      this.#ready.add(thread);
    } catch (error) {
      this.#threads.delete(thread);
      thread.kill("it did not start");
      throw error;
    } finally {
      clearTimeout(limit);
      this.#starting--;
    }
    this.#replace(performance.now() - begunAt);
    this.replenish();
    onReady();
  }

  /** Starts threads in the background, a few at a time, while there are fewer than `minWorkers`. */
  replenish(): void {
    const { minWorkers } = this.#options.limits;
    while (
      this.#started && !this.#closed && this.mayGrow && this.#staff < minWorkers &&
      this.#starting < STARTING_LIMIT
    ) this.grow();
  }

  /** Tells all threads the least severe level of log records that somebody wants, if it has changed. */
  tellLogThreshold(threshold: LogThreshold): void {
    if (threshold === this.#logThreshold) return;
    this.#logThreshold = threshold;
    for (const thread of this.#threads) thread.tellLogThreshold(threshold);
  }

  /** Keeps the threads that exist, and starts another one only when the last of them is lost. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Starts one more thread in the background. If the start fails, the crew tries again later. */
  grow(): void {
    if (this.#suffices) return;
    this.#boot().catch((error: Error) => {
      if (!this.#closed && !this.#suffices) this.#restarts.fail(error);
    });
  }

  /**
   * Starts as many threads as the calls need that wait, or that may come.
   *
   * @param queue The calls that wait for a thread.
   * @returns The time at which the pool has to ask again; infinite if it need not.
   */
  growFor(queue: { readonly length: number; readonly oldest: Job | undefined }, demand: Demand): number {
    const { maxWorkers } = this.#options.limits;
    if (this.#staff >= maxWorkers || this.#closed || !this.mayGrow) return Infinity;
    const { oldest } = queue;
    if (oldest === undefined && demand.mean < SHORT_CALL) return Infinity;
    const now = performance.now();
    // Starting a thread delays the main thread, and most calls end before a spare thread can help.
    const patience = demand.isCold ? COLD_PATIENCE : GROW_PATIENCE;
    if (oldest === undefined && !this.isBusySince(now - patience)) {
      return this.hasIdle ? Infinity : now + patience;
    }
    const wanted = threadsWanted({
      size: this.#staff - this.#starting,
      queued: queue.length,
      waited: oldest === undefined ? 0 : now - oldest.queuedAt,
      expected: oldest === undefined ? demand.mean : demand.expected(oldest.invocation.entrypoint),
      hasIdle: this.hasIdle,
      hasStuck: this.hasBusySince(now - QUEUE_PATIENCE),
      isCold: demand.isCold,
      maxWorkers,
    });
    while (this.#starting < wanted) this.grow();
    return oldest !== undefined && wanted === 0 ? Math.max(oldest.queuedAt, now) + GROW_PATIENCE : Infinity;
  }

  /** Whether the crew can replace a thread: it replaces one at a time, and not too many others have yet to leave. */
  get mayReplace(): boolean {
    return this.#started && !this.#closed && !this.#frozen && this.mayGrow && this.#replaced === undefined &&
      this.#leaving.size < this.#options.limits.maxWorkers;
  }

  /**
   * Starts another thread, and lets a ready thread leave once that one, or any other, is ready. If the start fails, the
   * ready thread stays until the crew has tried again.
   *
   * @param onLeft Not called if the thread is gone before.
   */
  replace(thread: PooledThread, onLeft: OnLeft): void {
    this.#replaced = { thread, onLeft };
    this.grow();
  }

  /** Lets the thread leave in whose place another one is ready. */
  #replace(took: number): void {
    if (this.#replaced === undefined) return;
    const { thread, onLeft } = this.#replaced;
    this.#replaced = undefined;
    this.#ready.delete(thread);
    this.#leaving.add(thread);
    this.#options.onLeft(thread.takeBackUnstarted());
    onLeft(took);
    this.release(thread);
  }

  /** Stops a thread that leaves, if it has no call any more. */
  release(thread: PooledThread): void {
    if (thread.assigned === 0 && this.#leaving.has(thread)) void this.#stop(thread);
  }

  /** Tries a failed start again if its time has come. */
  retry(now: number): void {
    if (this.#restarts.takeTurn(now)) this.grow();
  }

  /** Removes a thread that is gone. Returns whether the pool could give it calls, or it had started some. */
  remove(thread: PooledThread, hadStarted: boolean): boolean {
    this.#threads.delete(thread);
    if (this.#replaced?.thread === thread) this.#replaced = undefined;
    const hasLeft = this.#leaving.delete(thread);
    const wasReady = this.#ready.delete(thread);
    if (wasReady && !this.#closed) this.#restarts.lose(thread.wear, hadStarted);
    return wasReady || hasLeft && hadStarted;
  }

  /** Cancels a call in the thread that holds it. Returns false if no thread holds it. */
  cancel(job: Job): boolean {
    for (const thread of this.#threads) if (thread.cancel(job)) return true;
    return false;
  }

  /** Stops the threads that have had nothing to do for too long, but keeps `minWorkers` threads. */
  retire(now: number): void {
    if (this.#frozen) return;
    const { minWorkers, idleTimeout } = this.#options.limits;
    for (const thread of this.#ready) {
      if (this.#ready.size <= minWorkers) return;
      if (thread.assigned > 0 || now - thread.idleSince < idleTimeout) continue;
      this.#ready.delete(thread);
      if (this.#replaced?.thread === thread) this.#replaced = undefined;
      void this.#stop(thread);
    }
  }

  /** Stops all threads. Each thread disposes its dependencies first, unless `signal` aborts before. */
  async stop(signal: AbortSignal | undefined): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => this.#stop(thread, signal)));
  }

  /** Ends all threads at once. */
  kill(): void {
    this.#closed = true;
    for (const thread of [...this.#threads]) {
      thread.cancelAll("stopping");
      thread.kill("it was aborted");
    }
  }

  #check(exported: readonly ServiceExport[]): void {
    const { serve: { service }, entrypoints } = this.#options;
    const found = exported.find(({ manifest }) => manifest.name === service)?.manifest;
    if (entrypoints === undefined) return;
    if (found !== undefined && sameEntrypoints(found.entrypoints, entrypoints)) return;
    const difference = found === undefined ? "no service" : firstDifference(entrypoints, found.entrypoints);
    throw new ServiceLoadError(
      `Cannot serve "${service}" in another thread: it offers something else in each thread (${difference}). ` +
        "Use no random value and no time at the top of its module. If the module has changed, restart the service",
    );
  }

  #spawn(): PooledThread {
    const { spawner, serve, onLog } = this.#options;
    return new PooledThread(spawner, `${serve.service}#${++this.#spawned}`, onLog);
  }

  async #stop(thread: PooledThread, signal?: AbortSignal): Promise<void> {
    const { limits: { stopTimeout }, log } = this.#options;
    using limit = timeLimit(stopTimeout, signal);
    await thread.stop(limit.signal);
    if (!limit.signal.aborted || signal?.aborted) return;
    log.warning(
      `Ended thread "${thread.name}": its dependencies were not disposed of within ${stopTimeout} ms`,
    );
  }
}
