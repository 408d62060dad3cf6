/**
 * The threads of a pool: started, restarted with backoff, retired and stopped.
 *
 * Invariant: a thread is in `ready` exactly while it can be given calls: from when its dependencies are set up
 * until it is gone or is told to retire. While starts fail, one attempt at a time is made, ever later.
 */
import { timeLimit } from "../waiting/abort.ts";
import { ServiceLoadError } from "../message/errors.ts";
import type { Job } from "./job.ts";
import type { Log, LogRecord } from "../log/log.ts";
import type { ManifestEntrypoint } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { KnownParameters } from "../service/parameters.ts";
import type { PoolLimits } from "./pool_options.ts";
import type { ServeMessage, ServiceExport } from "../channel/port.ts";
import { sameEntrypoints } from "./same_entrypoints.ts";
import type { ThreadSpawner } from "../spawning/spawner.ts";
import { PooledThread, type ThreadEvents } from "./pooled_thread.ts";

/** What a crew is made of. */
export interface CrewOptions {
  readonly spawner: ThreadSpawner;
  readonly limits: PoolLimits;
  readonly serve: ServeMessage;
  /** What the service must have, because calls name an entrypoint by its place; undefined for anything. */
  readonly entrypoints: readonly ManifestEntrypoint[] | undefined;
  readonly messenger: Messenger;
  readonly events: ThreadEvents;
  /** Called when a thread can be given calls. */
  readonly onReady: () => void;
  /** Called when a start has failed: {@linkcode Crew.retry} is due at `time`. */
  readonly onRetryAt: (time: number) => void;
  readonly onLog: (record: LogRecord) => void;
  readonly log: Log;
}

/** The longest wait between attempts to start a thread, in milliseconds. */
const LONGEST_DELAY = 30_000;

const FIRST_DELAY = 250;

/** The threads of one pool. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #threads = new Set<PooledThread>();
  readonly #ready = new Set<PooledThread>();
  /** What the first thread to serve knows of the handlers' parameters; undefined if it did not come to that. */
  #parameters: Promise<KnownParameters | undefined> | undefined;
  #spawned = 0;
  #starting = 0;
  #failedStarts = 0;
  #retryAt = Infinity;
  #frozen = false;
  #closed = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Threads that can be given calls. */
  get ready(): ReadonlySet<PooledThread> {
    return this.#ready;
  }

  /** Threads, the starting and the retiring ones included. */
  get size(): number {
    return this.#threads.size;
  }

  get starting(): number {
    return this.#starting;
  }

  /** Whether another thread may be started: not while starts fail, which is looked after. */
  get mayGrow(): boolean {
    return this.#failedStarts === 0 && !this.#suffices;
  }

  /** Threads of a frozen crew are what is left of a version: as long as there is one, it does. */
  get #suffices(): boolean {
    return this.#frozen && this.#threads.size > 0;
  }

  /** When a failed start is to be tried again; infinite where none has failed. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** Whether some thread has nothing to do. */
  get hasIdle(): boolean {
    for (const thread of this.#ready) if (thread.assigned === 0) return true;
    return false;
  }

  /** Whether all threads have been busy with what they run since `time` or longer. */
  isBusySince(time: number): boolean {
    for (const { assigned, busySince } of this.#ready) if (assigned === 0 || busySince > time) return false;
    return true;
  }

  /**
   * Starts a thread.
   *
   * @param thread One that has loaded the module already.
   * @throws {ServiceLoadError} If the service does not load, or a dependency cannot be set up.
   */
  async boot(thread: PooledThread = this.#spawn()): Promise<void> {
    const { limits: { loadTimeout }, serve, messenger, events, onReady } = this.#options;
    this.#threads.add(thread);
    this.#starting++;
    const limit = setTimeout(() => thread.kill(`it did not load within ${loadTimeout} ms`), loadTimeout);
    try {
      this.#check(await thread.loaded());
      const parameters = await this.#parameters;
      const served = thread.serve({ ...serve, ...(parameters && { parameters }) }, messenger, events);
      if (parameters === undefined) this.#parameters = served.catch(() => undefined);
      await served;
      this.#failedStarts = 0;
      this.#ready.add(thread);
    } catch (error) {
      this.#threads.delete(thread);
      thread.kill("it did not start");
      throw error;
    } finally {
      clearTimeout(limit);
      this.#starting--;
    }
    onReady();
  }

  /** Keeps the threads that there are, and starts another only where the last is lost. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Starts one more thread in the background. */
  grow(): void {
    if (this.#suffices) return;
    const { log, onRetryAt } = this.#options;
    this.boot().catch((error: Error) => {
      if (this.#closed || this.#suffices) return;
      const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failedStarts++);
      log.error(`Cannot start another thread: ${error.message}. Trying again in ${delay} ms`, { error });
      this.#retryAt = performance.now() + delay;
      onRetryAt(this.#retryAt);
    });
  }

  /** Tries a failed start again if it is time. */
  retry(now: number): void {
    if (now < this.#retryAt) return;
    this.#retryAt = Infinity;
    this.grow();
  }

  /** Takes a thread off the list that is gone; whether it was there to be given calls. */
  remove(thread: PooledThread): boolean {
    this.#threads.delete(thread);
    return this.#ready.delete(thread);
  }

  /** Cancels a call, in whichever thread it is; false if it is in none. */
  cancel(job: Job): boolean {
    for (const thread of this.#threads) if (thread.cancel(job)) return true;
    return false;
  }

  /** Lets threads go that have had nothing to do for too long. */
  retire(now: number): void {
    if (this.#frozen) return;
    const { minWorkers, idleTimeout } = this.#options.limits;
    for (const thread of this.#ready) {
      if (this.#ready.size <= minWorkers) return;
      if (thread.assigned > 0 || now - thread.idleSince < idleTimeout) continue;
      this.#ready.delete(thread);
      void this.#stop(thread);
    }
  }

  /** Stops all threads: their dependencies are disposed, unless `signal` aborts first. */
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
    throw new ServiceLoadError(
      `Cannot serve "${service}" in another thread: its module has changed since it was loaded. Restart it`,
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
