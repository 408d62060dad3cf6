/**
 * Runs the calls of one service on its threads.
 *
 * Invariant: each call that {@linkcode Pool.run} takes gets exactly one outcome. A call is in one of three
 * places: waiting in `#queue`, in the mailbox of one {@linkcode PooledThread}, or settled; it moves only here. When a
 * thread is lost, what it had not started goes back to the front of the queue and the rest fails with
 * `WORKER_LOST`; so nothing hangs on a thread that is gone, and no call runs twice. A pool that has handed over
 * has no queue: what would wait in it waits in its successor's.
 *
 * Short calls (as measured, by entrypoint) may wait behind each other in a thread, so that it never idles
 * between two. When a call turns out longer than expected, those behind it are taken back within
 * {@linkcode MAILBOX_PATIENCE} and run elsewhere.
 */
import { decodeCallHeaders } from "../message/call_headers.ts";
import type { Cancellation } from "../waiting/cancellation.ts";
import { Crew } from "./crew.ts";
import { Demand } from "./demand.ts";
import { WorkerLostError } from "../message/errors.ts";
import { expireCalls } from "./expired_calls.ts";
import { createJob, type Job } from "./job.ts";
import type { Invocation } from "../channel/port.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import { chooseThread, GROW_PATIENCE, QUEUE_PATIENCE, threadsWanted } from "./placement.ts";
import { type PoolLimits, poolLimits, type PoolOptions } from "./pool_options.ts";
import { WakeTimer } from "../waiting/wake_timer.ts";
import { type PooledThread, SHORT_CALL } from "./pooled_thread.ts";

/** Milliseconds after which calls that wait behind a running one are taken back. */
const MAILBOX_PATIENCE = 10;

/** Milliseconds between looks at threads that run something. */
const LOOK_INTERVAL = 1_000;

/** Milliseconds of silence after which a running thread is asked for a sign of life. */
const SILENCE = 5_000;

/** Threads that run the calls of one service. */
export class Pool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #limits: PoolLimits;
  readonly #crew: Crew;
  readonly #queue: Job[] = [];
  readonly #onIdle = new Set<() => void>();
  readonly #timer = new WakeTimer(() => this.#look());
  #demand: Demand;
  #successor: Pool | undefined;
  #warnedOfDeadlock = false;
  #state: "open" | "draining" | "closed" = "open";

  /** @throws {RangeError} If a limit makes no sense. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#limits = poolLimits(options);
    const { service, spawner, entrypoints, messenger, config = {}, logLevel = "info", log, onLog } = options;
    const { callTimeout, parentCallsTracked } = options;
    const { maxWorkers, concurrency } = this.#limits;
    this.#demand = new Demand(maxWorkers * concurrency, options.onDemand);
    this.#crew = new Crew({
      spawner,
      limits: this.#limits,
      serve: { type: "serve", service, config, callTimeout, parentCallsTracked, concurrency, logLevel },
      entrypoints,
      messenger,
      events: {
        onSettled: (job, outcome, elapsed) => this.#settled(job, outcome, elapsed),
        onRoom: () => this.#dispatch(),
        onEnd: (thread, reason, started, unstarted) => this.#lost(thread, reason, started, unstarted),
      },
      onReady: () => this.#dispatch(),
      onRetryAt: (time) => this.#timer.by(time),
      onLog,
      log,
    });
  }

  /** Often enough to ask for a sign of life, and to have it, before the want of one counts. */
  get #lookInterval(): number {
    return Math.min(LOOK_INTERVAL, this.#limits.stallTimeout / 4);
  }

  /** Threads that run, the starting ones included. */
  get size(): number {
    return this.#crew.size;
  }

  /** Calls in threads. */
  get active(): number {
    let active = 0;
    for (const thread of this.#crew.ready) active += thread.assigned;
    return active;
  }

  /** Calls that wait for a thread. */
  get queued(): number {
    return this.#queue.length;
  }

  /** How many calls it can make use of at once: a consumer's prefetch. */
  get demand(): number {
    return this.#demand.value;
  }

  /**
   * Starts the first threads.
   *
   * @param options.first A thread that has loaded the module already.
   * @throws {ServiceLoadError} If the service does not load, or a dependency cannot be set up.
   */
  async start(
    { first, signal }: { readonly first?: PooledThread; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const stop = () => void this[Symbol.asyncDispose]();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const boots: Promise<void>[] = [];
      while (boots.length < Math.max(1, this.#limits.minWorkers)) {
        boots.push(this.#crew.boot(boots.length === 0 ? first : undefined));
      }
      await Promise.all(boots);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    signal?.throwIfAborted();
  }

  /**
   * Runs a call; never rejects.
   *
   * @param cancellation Cancels it: a call that has not started never does, a running one is told.
   */
  run(invocation: Invocation, cancellation?: Cancellation): Promise<Outcome> {
    if (this.#state !== "open") return Promise.resolve({ status: "unstarted", reason: "stopping" });
    return new Promise((settle) => {
      const job = createJob(invocation, settle);
      this.#queue.push(job);
      cancellation?.onCancel(() => this.#cancel(job));
      this.#dispatch();
    });
  }

  /** Starts no more threads while there is one: the module's files are no longer what it has loaded. */
  freeze(): void {
    this.#crew.freeze();
  }

  /**
   * Lets another pool take over: it gets the calls that wait here, and what is known of how long they take. What
   * runs here is finished here; then it is to be shut down.
   *
   * @param successor Of a service with the same entrypoints, as calls name these by their place.
   */
  handOver(successor: Pool): void {
    this.freeze();
    this.#successor = successor;
    successor.#demand.inherit(this.#demand);
    this.#demand = successor.#demand;
    this.#dispatch();
    this.#announceIdle();
  }

  /** Gives back the calls that wait for a thread, as unstarted. */
  shed(): void {
    this.#giveBack("shed");
  }

  /** Takes no further calls, and waits until the running and waiting ones have their outcome. */
  async drain(): Promise<void> {
    if (this.#state === "open") this.#state = "draining";
    if (this.#idle) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.add(resolve);
    await promise;
  }

  /**
   * Drains, then ends the threads politely: their dependencies are disposed first.
   *
   * @param options.signal Aborting turns it into {@linkcode Pool.abort}.
   */
  async shutdown({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const abort = () => this.abort();
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    await this.drain();
    this.#state = "closed";
    this.#timer.close();
    await this.#crew.stop(signal);
    signal?.removeEventListener("abort", abort);
    await this.#options.spawner[Symbol.asyncDispose]();
  }

  /** Ends the threads at once; the calls in them, and those that wait, count as not run here. */
  abort(): void {
    this.#state = "closed";
    this.#timer.close();
    this.#crew.kill();
    this.#giveBack("stopping");
    this.#announceIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #cancel(job: Job): void {
    const place = this.#queue.indexOf(job);
    if (place !== -1) this.#queue.splice(place, 1)[0]!.settle({ status: "unstarted", reason: "cancelled" });
    else if (!this.#crew.cancel(job) && this.#successor !== undefined) this.#successor.#cancel(job);
    this.#announceIdle();
  }

  get #idle(): boolean {
    return this.#queue.length === 0 && this.active === 0;
  }

  #dispatch(): void {
    if (this.#successor !== undefined) this.#successor.#adopt(this.#queue.splice(0));
    while (this.#queue.length > 0) {
      const job = this.#queue[0]!;
      if (!job.surprised) job.expected = this.#demand.expected(job.invocation.entrypoint);
      const thread = chooseThread(this.#crew.ready, job.expected, this.#limits.concurrency);
      if (thread === undefined) break;
      this.#queue.shift();
      const { timeout } = job.invocation;
      if (timeout !== undefined) {
        job.timeoutAt = performance.now() + timeout;
        this.#timer.by(job.timeoutAt);
      }
      thread.assign(job);
      if (thread.assigned > this.#limits.concurrency) this.#timer.by(performance.now() + MAILBOX_PATIENCE);
    }
    if (!this.#timer.isSet) this.#timer.by(performance.now() + this.#lookInterval);
    this.#grow();
  }

  #adopt(jobs: readonly Job[]): void {
    if (jobs.length === 0) return;
    this.#queue.unshift(...jobs);
    if (this.#state === "closed") this.#giveBack("stopping");
    else this.#dispatch();
  }

  #giveBack(reason: "shed" | "stopping"): void {
    for (const job of this.#queue.splice(0)) job.settle({ status: "unstarted", reason });
  }

  #grow(): void {
    const { maxWorkers } = this.#limits;
    if (this.#crew.size >= maxWorkers || this.#state === "closed" || !this.#crew.mayGrow) return;
    const oldest = this.#queue[0];
    if (oldest === undefined && this.#demand.mean < SHORT_CALL) return;
    const now = performance.now();
    // To start a thread holds main up, and most calls are over before a spare one would be of use.
    if (oldest === undefined && !this.#crew.isBusySince(now - GROW_PATIENCE)) {
      if (!this.#crew.hasIdle) this.#timer.by(now + GROW_PATIENCE);
      return;
    }
    const wanted = threadsWanted({
      size: this.#crew.size - this.#crew.starting,
      queued: this.#queue.length,
      waited: oldest === undefined ? 0 : now - oldest.queuedAt,
      expected: oldest === undefined
        ? this.#demand.mean
        : this.#demand.expected(oldest.invocation.entrypoint),
      hasIdle: this.#crew.hasIdle,
      maxWorkers,
    });
    while (this.#crew.starting < wanted) this.#crew.grow();
    if (oldest !== undefined && wanted === 0) this.#timer.by(Math.max(oldest.queuedAt, now) + GROW_PATIENCE);
  }

  #settled(job: Job, outcome: Outcome, elapsed: number | undefined): void {
    if (elapsed !== undefined) this.#demand.record(job.invocation.entrypoint, elapsed);
    if (!job.timedOut) job.settle(outcome);
    if (this.#queue.length > 0) this.#dispatch();
    else if (this.#onIdle.size > 0 && this.#idle) this.#announceIdle();
  }

  #lost(thread: PooledThread, reason: string, started: readonly Job[], unstarted: readonly Job[]): void {
    const served = this.#crew.remove(thread);
    const aborted = this.#state === "closed";
    this.#queue.unshift(...unstarted);
    const failure = describeFailure(
      new WorkerLostError(`The thread that ran the call was lost: ${reason}`),
    );
    for (const job of started) {
      if (job.timedOut) continue;
      if (aborted) job.settle({ status: "unstarted", reason: "stopping" });
      else this.#fail(job, failure, { lostWith: started.length - 1 });
    }
    if (aborted) return;
    if (served) {
      this.#options.log.error(`Lost thread "${thread.name}": ${reason}`, {
        failed: started.length,
        rerun: unstarted.length,
      });
      if (this.#crew.size < this.#limits.minWorkers) this.#crew.grow();
    }
    this.#dispatch();
    this.#announceIdle();
  }

  /** Answers a call whose handler will not, and says so: its thread does not. */
  #fail(job: Job, failure: Failure, fate: { readonly lostWith?: number } = {}): void {
    const { service, entrypoints, log } = this.#options;
    const { entrypoint, headers } = job.invocation;
    const entry = entrypoints?.[entrypoint];
    if (entry !== undefined) {
      const caller = decodeCallHeaders(headers).stack.at(-1);
      log.error(
        `${entry.kind} ${service}.${entry.method} failed: ${failure.message}`,
        caller === undefined ? {} : { caller },
      );
    }
    job.settle({ ...failed(failure), ...fate });
  }

  #announceIdle(): void {
    if (!this.#idle) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle.clear();
  }

  /** Looks after what has taken too long; sleeps for good once nothing runs and nothing is to retire. */
  #look(): void {
    const now = performance.now();
    this.#crew.retry(now);
    for (const thread of [...this.#crew.ready]) {
      if (thread.assigned === 0) continue;
      const { killGrace } = this.#limits;
      this.#queue.unshift(...expireCalls(thread, now, killGrace, (job, failure) => this.#fail(job, failure)));
      this.#relieve(thread, now);
      this.#checkPulse(thread, now);
    }
    this.#crew.retire(now);
    this.#checkQueue(now);
    this.#dispatch();
    this.#rest(now);
  }

  #rest(now: number): void {
    let next = this.#crew.retryAt;
    for (const thread of this.#crew.ready) {
      if (thread.assigned > 0) {
        const look = thread.assigned > this.#limits.concurrency ? MAILBOX_PATIENCE : this.#lookInterval;
        next = Math.min(next, now + look, thread.nextTimeout);
      } else if (this.#crew.size > this.#limits.minWorkers) {
        next = Math.min(next, thread.idleSince + this.#limits.idleTimeout);
      }
    }
    const oldest = this.#queue[0];
    if (oldest !== undefined) {
      next = Math.min(next, Math.max(now + GROW_PATIENCE, oldest.queuedAt + QUEUE_PATIENCE));
    }
    this.#timer.reset(next);
  }

  /** Calls that wait behind a slow one run elsewhere. */
  #relieve(thread: PooledThread, now: number): void {
    if (thread.assigned <= this.#limits.concurrency || now - thread.busySince < MAILBOX_PATIENCE) return;
    for (const job of thread.takeBackUnstarted().reverse()) {
      job.expected = SHORT_CALL;
      job.surprised = true;
      this.#queue.unshift(job);
    }
  }

  #checkPulse(thread: PooledThread, now: number): void {
    const silence = now - thread.heardAt;
    if (silence > this.#limits.stallTimeout) {
      thread.kill(`it gave no sign of life for ${Math.round(silence)} ms`);
    } else if (silence > Math.min(SILENCE, this.#limits.stallTimeout / 2)) thread.ping();
  }

  #checkQueue(now: number): void {
    const oldest = this.#queue[0];
    if (oldest === undefined || now - oldest.queuedAt < QUEUE_PATIENCE) return;
    this.#demand.surprise();
    if (this.#crew.ready.size < this.#limits.maxWorkers || this.#warnedOfDeadlock) return;
    for (const thread of this.#crew.ready) if (thread.pendingRequests === 0) return;
    this.#warnedOfDeadlock = true;
    this.#options.log.warning(
      `All ${this.#crew.ready.size} threads wait for answers of other calls while ${this.#queue.length} calls wait for ` +
        `a thread. If service "${this.#options.service}" calls itself, raise max_workers or concurrency`,
    );
  }
}
