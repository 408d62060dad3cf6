/**
 * This folder holds the code that decides which thread runs which call, and how many threads there are. This
 * file runs the calls of one service on its threads.
 *
 * Invariant: each call that {@linkcode Pool.run} takes gets exactly one outcome. A call waits in `#queue`, or
 * is in the mailbox of one {@linkcode PooledThread}, or is settled, and only this file moves it between these
 * places. When a thread is lost, the calls that it had not started go back to the front of the queue, and the
 * others fail with `WORKER_LOST`. So no call waits for a thread that is gone, and no call runs twice. A pool
 * that has handed over has no queue: its calls wait in the queue of its successor.
 *
 * Short calls may wait behind each other in a thread, so that the thread is never idle between two of them.
 * The pool measures which entrypoints have short calls. When a call takes longer than expected, the pool
 * takes back the calls behind it within {@linkcode MAILBOX_PATIENCE} and runs them elsewhere.
 */
import type { Cancellation } from "../waiting/cancellation.ts";
import { Crew, type ThreadCounts } from "./crew.ts";
import { Demand } from "./demand.ts";
import { WorkerLostError } from "../message/errors.ts";
import { DoomedCalls } from "./doomed_calls.ts";
import { CANCELLED, createJob, type Job, logFailure, surprised, tellEnd } from "./job.ts";
import type { LogThreshold } from "../log/log.ts";
import type { Invocation } from "../channel/port.ts";
import { JobQueue } from "./queue/job_queue.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import { chooseThread, MAILBOX_PATIENCE, QUEUE_PATIENCE } from "./placement.ts";
import { type PoolLimits, poolLimits, type PoolOptions } from "./pool_options.ts";
import { WakeTimer } from "../waiting/wake_timer.ts";
import type { PooledThread } from "./pooled_thread.ts";
import { CallTimes, checkPulse, expireCalls, lookInterval, nextLook, outOfTime } from "./overdue.ts";
import { Renewal } from "./renewal/renewal.ts";
import { type RunningCall, runningCalls } from "./running_calls.ts";
import { spanSeed } from "../telemetry/trace.ts";
import type { ThreadPlace } from "../spawning/spawner.ts";
import { Saturation } from "./saturation.ts";

/** Runs the calls of one service on its threads. */
export class Pool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #limits: PoolLimits;
  readonly #crew: Crew;
  readonly #queue = new JobQueue();
  readonly #onIdle = new Set<() => void>();
  readonly #timer = new WakeTimer(() => this.#look());
  readonly #times: CallTimes;
  readonly #saturation: Saturation;
  readonly #doomed: DoomedCalls;
  readonly #renewal: Renewal;
  #demand: Demand;
  #successor: Pool | undefined;
  #state: "open" | "draining" | "closed" = "open";

  /** @throws {RangeError} If a limit is out of its range. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#limits = poolLimits(options);
    const { service, spawner, entrypoints, messenger, config = {}, log, onLog } = options;
    const { configOrigins, callTimeout, parentCallsTracked, payloads, heapLimit, softHeapLimit } = options;
    const { maxWorkers, concurrency, logLimit } = this.#limits;
    const sent = { config, configOrigins, callTimeout, parentCallsTracked, payloads };
    const served = { service, ...sent, concurrency, logLimit, heapLimit, softHeapLimit };
    this.#times = new CallTimes(options, (now) => this.#expire(now));
    this.#saturation = new Saturation(options);
    this.#doomed = new DoomedCalls(options, this.#limits.refuseDoomed);
    this.#demand = new Demand(maxWorkers * concurrency, options.onDemand);
    this.#crew = new Crew({
      spawner,
      limits: this.#limits,
      renewal: options,
      serve: { type: "serve", ...served, spanSeed: spanSeed() },
      logThreshold: () => this.#logThreshold(),
      entrypoints,
      messenger,
      events: {
        onSettled: (thread, job, outcome) => this.#settled(thread, job, outcome),
        onRoom: () => this.#dispatch(),
        onReturned: (thread, jobs) => {
          this.#adopt(surprised(jobs));
          this.#crew.release(thread);
          this.#times.look();
        },
        onEnd: (thread, reason, started, unstarted) => this.#lost(thread, reason, started, unstarted),
      },
      onReady: () => {
        this.#renew();
        this.#dispatch();
      },
      onWorn: () => this.#renew(),
      onLeft: (unstarted) => this.#queue.putBack(unstarted),
      onRetryAt: (time) => this.#timer.by(time),
      onLog,
      log,
    });
    this.#renewal = new Renewal({ crew: this.#crew, log, onRenewed: options.onThreadRenewed });
  }

  /** Number of threads, including those that start. */
  get size(): number {
    return this.#crew.size;
  }

  get place(): ThreadPlace {
    return this.#options.spawner.place ?? { isolation: "threads" };
  }

  get threads(): ThreadCounts {
    return this.#crew.counts;
  }

  /** The threads that can get calls. */
  get ready(): Iterable<PooledThread> {
    return this.#crew.ready;
  }

  /** Number of calls in threads. */
  get active(): number {
    let active = 0;
    for (const { assigned } of this.#crew.working) active += assigned;
    return active;
  }

  /** The calls in threads, the oldest first. */
  get running(): readonly RunningCall[] {
    return runningCalls(this.#crew.working, this.#options);
  }

  /** Number of calls that wait for a thread. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Milliseconds that the calls of an entrypoint take at least; 0 while that is unknown. */
  least(entrypoint: number): number {
    return this.#doomed.least(entrypoint);
  }

  /** Number of calls that the pool can use at once, which is the prefetch of a consumer. */
  get demand(): number {
    return this.#demand.value;
  }

  /**
   * Starts the first threads.
   *
   * @param options.first A thread that has loaded the module already.
   * @param options.signal Aborting it stops the pool and rejects the start.
   * @throws {ServiceLoadError} If the service does not load, or a dependency cannot be set up.
   */
  async start(
    { first, signal }: { readonly first?: PooledThread; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const stop = () => void this[Symbol.asyncDispose]();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await this.#crew.start(first);
      this.#renew();
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
   * @param cancellation Cancels the call: the pool drops it, or tells it to stop if it runs.
   */
  run(invocation: Invocation, cancellation?: Cancellation): Promise<Outcome> {
    return this.#times.during(
      new Promise((resolve) => {
        const { onCallEnded } = this.#options;
        const job = createJob(
          this.#times.inThread(invocation),
          onCallEnded === undefined ? resolve : (outcome) => resolve(tellEnd(job, outcome, onCallEnded)),
        );
        if (this.#state !== "open") return job.settle({ status: "unstarted", reason: "stopping" });
        this.#queue.add(job);
        cancellation?.onCancel(() => this.#cancel(job));
        this.#dispatch(job.queuedAt);
      }),
    );
  }

  /** Starts a new thread only when the last one is lost, because the files of the module have changed. */
  freeze(): void {
    this.#crew.freeze();
  }

  /**
   * Hands the waiting calls over to another pool, with what is known of how long calls take. The running
   * calls finish in this pool. Then the caller must shut it down.
   *
   * @param successor Pool of a service with the same entrypoints, because calls name these by their place.
   */
  handOver(successor: Pool): void {
    this.freeze();
    this.#successor = successor;
    successor.#demand.inherit(this.#demand);
    successor.#doomed.inherit(this.#doomed);
    this.#demand = successor.#demand;
    this.#dispatch();
    this.#announceIdle();
  }

  /** Gives back the calls that wait for a thread, with the outcome `unstarted`. */
  shed(): void {
    this.#giveBack("shed");
  }

  /** Takes no further calls, and waits until the running and waiting calls have their outcome. */
  async drain(): Promise<void> {
    if (this.#state === "open") this.#state = "draining";
    if (this.#idle) return;
    await new Promise<void>((resolve) => this.#onIdle.add(resolve));
  }

  /**
   * Drains the pool, then ends its threads politely: they dispose their dependencies first.
   *
   * @param options.signal Aborting it turns the shutdown into {@linkcode Pool.abort}.
   */
  async shutdown({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const abort = () => this.abort();
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    await this.drain();
    this.#close();
    await this.#crew.stop(signal);
    signal?.removeEventListener("abort", abort);
    await this.#options.spawner[Symbol.asyncDispose]();
  }

  /** Ends the threads at once. The calls in them, and those that wait, get the outcome `unstarted`. */
  abort(): void {
    this.#close();
    this.#crew.kill();
    this.#giveBack("stopping");
    this.#announceIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #close(): void {
    this.#state = "closed";
    this.#timer.close();
    this.#times.close();
    this.#doomed.end();
  }

  #cancel(job: Job): void {
    if (this.#queue.remove(job)) job.settle(CANCELLED);
    else if (!this.#crew.cancel(job) && this.#successor !== undefined) this.#successor.#cancel(job);
    this.#announceIdle();
  }

  get #idle(): boolean {
    return this.#queue.length === 0 && this.active === 0;
  }

  #logThreshold(): LogThreshold {
    return this.#options.logThreshold?.() ?? "info";
  }

  /** @param now The present time, for a caller that knows it already. */
  #dispatch(now = performance.now()): void {
    if (this.#queue.length > 0) this.#crew.tellLogThreshold(this.#logThreshold());
    if (this.#successor !== undefined) this.#successor.#adopt(this.#queue.takeAll());
    while (this.#queue.length > 0) {
      const job = this.#queue.first!;
      if (!job.surprised) job.expected = this.#demand.expected(job.invocation.entrypoint);
      const thread = chooseThread(this.#crew.ready, job.expected, this.#limits.concurrency);
      if (thread === undefined) break;
      this.#queue.shift();
      const refusal = this.#doomed.refusalOf(job.invocation);
      if (refusal !== undefined) {
        job.settle(refusal);
        continue;
      }
      this.#times.begin(job);
      thread.assign(job);
      if (thread.assigned > this.#limits.concurrency) this.#timer.by(now + MAILBOX_PATIENCE);
    }
    // A later time may be set already, such as that of an idle thread's end, and must not delay the look.
    this.#timer.by(now + lookInterval(this.#limits.stallTimeout));
    this.#timer.by(this.#crew.growFor(this.#queue, this.#demand));
    if (this.#onIdle.size > 0) this.#announceIdle();
  }

  #adopt(jobs: readonly Job[]): void {
    if (jobs.length === 0) return;
    this.#queue.putBack(jobs);
    if (this.#state === "closed") this.#giveBack("stopping");
    else this.#dispatch();
  }

  #giveBack(reason: "shed" | "stopping"): void {
    for (const job of this.#queue.takeAll()) job.settle({ status: "unstarted", reason });
  }

  #settled(thread: PooledThread, job: Job, outcome: Outcome): void {
    const { invocation: { entrypoint }, ran, endedAt } = job;
    if (ran !== undefined && outcome.status === "done") {
      this.#demand.record(entrypoint, ran);
      // The answer of a stream had begun long before the run ended.
      if (job.stream === undefined) this.#doomed.record(entrypoint, ran, endedAt!);
    }
    if (!job.timedOut) job.settle(outcome);
    this.#crew.release(thread);
    if (this.#queue.length > 0) this.#dispatch();
    else if (this.#onIdle.size > 0) this.#announceIdle();
  }

  #lost(thread: PooledThread, reason: string, started: readonly Job[], unstarted: readonly Job[]): void {
    const served = this.#crew.remove(thread, started.length > 0);
    const aborted = this.#state === "closed";
    this.#queue.putBack(unstarted);
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
      this.#options.onThreadLost?.(reason);
      this.#options.log.error(`Lost thread "${thread.name}": ${reason}`, {
        failedCalls: started.length,
        movedCalls: unstarted.length,
      });
      this.#crew.replenish();
    }
    this.#renew();
    this.#dispatch();
    this.#announceIdle();
  }

  /** Fails a call that its handler will not answer, and logs the failure, as its thread does not log it. */
  #fail(job: Job, failure: Failure, fate: { readonly lostWith?: number } = {}): void {
    logFailure(job, failure, this.#options);
    job.settle({ ...failed(failure), ...fate });
  }

  #announceIdle(): void {
    if (!this.#idle) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle.clear();
  }

  /** Looks after threads and queue. Sets no timer once nothing runs and no thread is to retire. */
  #look(): void {
    const now = performance.now();
    this.#crew.retry(now);
    for (const thread of [...this.#crew.working]) {
      if (thread.assigned === 0) continue;
      this.#relieve(thread, now);
      checkPulse(thread, now, this.#limits.stallTimeout);
    }
    this.#crew.retire(now);
    this.#checkQueue(now);
    this.#saturation.look(now, this.#crew.ready, this.#queue, this.#limits);
    this.#dispatch();
    this.#timer.reset(nextLook(now, this.#crew, this.#queue.oldest, this.#limits));
    this.#renew(now);
  }

  /** Renews a thread that has been used enough, if its turn has come. */
  #renew(now = performance.now()): void {
    if (this.#state === "open") this.#timer.by(this.#renewal.look(now));
  }

  /** Ends the calls whose time is up. */
  #expire(now: number): void {
    const fail = (job: Job) => this.#fail(job, outOfTime(job, this.#options));
    const grace = this.#limits.killGrace;
    for (const thread of [...this.#crew.working]) this.#queue.putBack(expireCalls(thread, now, grace, fail));
    this.#dispatch();
    this.#times.watch(this.#crew.working);
  }

  /** Takes back the calls that wait behind a slow one, so that they run elsewhere. */
  #relieve(thread: PooledThread, now: number): void {
    if (thread.assigned <= this.#limits.concurrency || now - thread.busySince < MAILBOX_PATIENCE) return;
    this.#queue.putBack(surprised(thread.takeBackUnstarted()));
  }

  #checkQueue(now: number): void {
    const { oldest } = this.#queue;
    if (oldest !== undefined && now - oldest.queuedAt >= QUEUE_PATIENCE) this.#demand.surprise();
  }
}
