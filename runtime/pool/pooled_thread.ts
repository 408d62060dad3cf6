import { Claims, SLOTS } from "../channel/claims.ts";
import { ServiceLoadError } from "../message/errors.ts";
import type { FromThread, ServeMessage, ServiceExport, ToThread } from "../channel/port.ts";
import type { Job } from "./job.ts";
import type { LogRecord } from "../log/log.ts";
import type { Messenger } from "../message/messenger.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import type { Outcome } from "../message/outcome.ts";
import type { KnownParameters } from "../service/parameters.ts";
import type { CancelReason } from "../message/reply.ts";
import { ReplyStream } from "../message/reply_stream.ts";
import type { Thread, ThreadSpawner } from "../spawning/spawner.ts";

/** Events of a thread, for its pool. */
export interface ThreadEvents {
  /** A call has its outcome. `elapsed` is its milliseconds in the thread, undefined if it failed. */
  readonly onSettled: (job: Job, outcome: Outcome, elapsed: number | undefined) => void;
  /** The thread has skipped a call that the pool took back, so it has room again. */
  readonly onRoom: () => void;
  /** The thread is gone. It may have run the `started` calls, and has not run the `unstarted` ones. */
  readonly onEnd: (
    thread: PooledThread,
    reason: string,
    started: readonly Job[],
    unstarted: readonly Job[],
  ) => void;
}

/** Calls shorter than this many milliseconds may wait behind each other in a thread. */
export const SHORT_CALL = 1;

/** One thread, as the main thread holds it: its mailbox, its messages and its end. */
export class PooledThread {
  #name: string;
  readonly #thread: Thread;
  readonly #claims = new Claims();
  readonly #onLog: (record: LogRecord) => void;
  readonly #jobs: (Job | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #freeSlots: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);
  readonly #requests = new Map<number, AbortController>();
  readonly #booting = Promise.withResolvers<readonly ServiceExport[]>();
  readonly #describing = Promise.withResolvers<readonly ServiceExport[]>();
  readonly #serving = Promise.withResolvers<KnownParameters>();
  readonly #stopped = Promise.withResolvers<void>();
  #events: ThreadEvents | undefined;
  #messenger: Messenger | undefined;
  #condemned = false;
  #assigned = 0;
  #longAssigned = 0;
  #backlog = 0;
  #heardAt = performance.now();
  #pingedAt = 0;
  #busySince = 0;
  #idleSince = performance.now();
  #ended = false;

  constructor(spawner: ThreadSpawner, name: string, onLog: (record: LogRecord) => void) {
    this.#name = name;
    this.#onLog = onLog;
    this.#thread = spawner.spawn({ name, claims: this.#claims.buffer });
    this.#thread.port.onmessage = ({ data }) => this.#receive(data);
    this.#booting.promise.catch(() => {});
    this.#describing.promise.catch(() => {});
    this.#serving.promise.catch(() => {});
    void this.#thread.ended.then((reason) => this.#end(reason));
  }

  /** Name such as `greeting#1`, after the service, or after the module until the thread serves a service. */
  get name(): string {
    return this.#name;
  }

  /** Number of calls in the thread, running and waiting. */
  get assigned(): number {
    return this.#assigned;
  }

  /** Milliseconds of work that the thread is expected to have; infinite if one of its calls is long. */
  get backlog(): number {
    return this.#longAssigned > 0 ? Infinity : this.#backlog;
  }

  /** Whether the thread can hold another call. */
  get hasSlot(): boolean {
    return this.#freeSlots.length > 0;
  }

  /** Time at which the thread last became idle, as `performance.now()` gives it. */
  get idleSince(): number {
    return this.#idleSince;
  }

  /** Time of the last sign of life of the thread. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Time at which the thread last settled a call or had none. It has settled nothing since then. */
  get busySince(): number {
    return this.#busySince;
  }

  /** Whether the thread must get no more calls, because one of its calls does not end. */
  get condemned(): boolean {
    return this.#condemned;
  }

  /** Whether the thread has given no sign of life since the pool last asked for one. */
  get isSilent(): boolean {
    return this.#heardAt < this.#pingedAt;
  }

  /** The calls in this thread, running and waiting, by their slots. */
  get jobs(): readonly (Job | undefined)[] {
    return this.#jobs;
  }

  /** Number of requests and publications that calls in this thread wait for. */
  get pendingRequests(): number {
    return this.#requests.size;
  }

  /** Returns what the module exports. Rejects with {@linkcode ServiceLoadError} if it does not load. */
  loaded(): Promise<readonly ServiceExport[]> {
    return this.#booting.promise;
  }

  /** Returns the same, with the descriptions of the entrypoints, which the thread needs time to find out. */
  describe(): Promise<readonly ServiceExport[]> {
    this.#thread.port.postMessage({ type: "describe" });
    return this.#describing.promise;
  }

  /**
   * Makes the thread serve one of its services. Resolves when the dependencies are set up, with what the
   * thread knows of the handlers' parameters.
   */
  serve(message: ServeMessage, messenger: Messenger, events: ThreadEvents): Promise<KnownParameters> {
    this.#name = this.#name.replace(/^.*(?=#)/, message.service);
    this.#messenger = messenger;
    this.#events = events;
    this.#thread.port.postMessage(message);
    return this.#serving.promise;
  }

  /** Gives the thread a call. */
  assign(job: Job): void {
    const slot = this.#freeSlots.pop()!;
    this.#jobs[slot] = job;
    // An idle thread had no reason to give a sign of life.
    if (this.#assigned++ === 0) this.#heardAt = this.#busySince = performance.now();
    if (job.expected < SHORT_CALL) this.#backlog += job.expected;
    else this.#longAssigned++;
    this.#claims.offer(slot);
    this.#thread.port.postMessage({ type: "call", call: { slot, ...job.invocation } });
  }

  /** Takes back the calls that have not started. Returns them in the order in which they came to the pool. */
  takeBackUnstarted(): Job[] {
    const taken: Job[] = [];
    for (const [slot, job] of this.#jobs.entries()) {
      if (job !== undefined && this.#claims.takeBack(slot)) {
        this.#forget(slot, job);
        taken.push(job);
      }
    }
    return taken.sort((a, b) => a.queuedAt - b.queuedAt);
  }

  /** Finds the calls whose time is up. Tells the started ones to stop, and takes the unstarted ones back. */
  expire(now: number): { readonly started: readonly Job[]; readonly unstarted: readonly Job[] } {
    const started: Job[] = [];
    const unstarted: Job[] = [];
    for (const [slot, job] of this.#jobs.entries()) {
      if (job === undefined || job.timeoutAt > now) continue;
      if (this.#claims.takeBack(slot)) {
        this.#forget(slot, job);
        unstarted.push(job);
      } else {
        if (!job.timedOut) this.#thread.port.postMessage({ type: "cancel", slot, reason: "timeout" });
        started.push(job);
      }
    }
    return { started, unstarted };
  }

  /** The earliest time at which {@linkcode PooledThread.expire} has something to do. */
  get nextTimeout(): number {
    let next = Infinity;
    if (this.#assigned === 0) return next;
    for (const job of this.#jobs) if (job !== undefined && job.timeoutAt < next) next = job.timeoutAt;
    return next;
  }

  /** Drops a call that nobody waits for, or tells it to stop if it runs. Returns false if it is not here. */
  cancel(job: Job): boolean {
    const slot = this.#jobs.indexOf(job);
    if (slot === -1) return false;
    if (this.#claims.takeBack(slot)) {
      this.#forget(slot, job);
      job.settle({ status: "unstarted", reason: "cancelled" });
    } else this.#thread.port.postMessage({ type: "cancel", slot, reason: "cancelled" });
    return true;
  }

  /** Tells the running calls to stop. */
  cancelAll(reason: CancelReason): void {
    for (const [slot, job] of this.#jobs.entries()) {
      if (job !== undefined) this.#thread.port.postMessage({ type: "cancel", slot, reason });
    }
  }

  /** Marks the thread, so that it gets no more calls until it has none. */
  condemn(): void {
    this.#condemned = true;
  }

  /** Asks the thread for a sign of life. */
  ping(): void {
    this.#pingedAt = performance.now();
    this.#thread.port.postMessage({ type: "ping" });
  }

  /** Disposes the service's dependencies, then ends the thread. `signal` ends the wait for the disposal. */
  async stop(signal: AbortSignal): Promise<void> {
    if (this.#ended) return;
    const cut = Promise.withResolvers<void>();
    const onAbort = () => cut.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#thread.port.postMessage({ type: "stop" });
    await Promise.race([this.#stopped.promise, cut.promise]);
    signal.removeEventListener("abort", onAbort);
    this.kill("it was stopped");
    await this.#thread.ended;
  }

  /** Ends the thread at once. The calls that it has started are lost. */
  kill(reason: string): void {
    this.#thread.kill();
    this.#end(reason);
  }

  #receive(message: FromThread): void {
    this.#heardAt = performance.now();
    switch (message.type) {
      case "done":
        this.#settle(
          message.slot,
          message.head === undefined
            ? { status: "done", body: message.body }
            : { status: "done", body: message.body, head: message.head },
          message.elapsed,
        );
        break;
      case "opened":
        this.#open(message);
        break;
      case "chunk":
        this.#jobs[message.slot]?.stream?.deliver(message.chunk);
        break;
      case "failed": {
        const { slot, failure, expected, undecoded } = message;
        this.#settle(slot, { status: "failed", failure, expected, ...(undecoded && { undecoded }) });
        break;
      }
      case "skipped":
        this.#freeSlots.push(message.slot);
        this.#events?.onRoom();
        break;
      case "request":
        void this.#request(message);
        break;
      case "publish":
        void this.#publish(message);
        break;
      case "withdraw":
        this.#requests.get(message.id)?.abort();
        break;
      case "log":
        this.#onLog(message.record);
        break;
      case "loaded":
        this.#booting.resolve(message.services);
        break;
      case "described":
        this.#describing.resolve(message.services);
        break;
      case "ready":
        this.#serving.resolve(message.parameters);
        break;
      case "unready": {
        const error = loadError(message.failure);
        this.#reject(error);
        break;
      }
      case "exiting":
        this.kill(`the service called Deno.exit(${message.code})`);
        break;
      case "stopped":
        this.#stopped.resolve();
        break;
      case "pong":
        break;
    }
  }

  #open({ slot, head }: Extract<FromThread, { readonly type: "opened" }>): void {
    const job = this.#jobs[slot];
    if (job === undefined) return;
    const post = (message: ToThread) => {
      if (!this.#ended) this.#thread.port.postMessage(message);
    };
    const cancel = (reason: CancelReason) => post({ type: "cancel", slot, reason });
    if (job.timedOut) return cancel("cancelled");
    job.timeoutAt = Infinity;
    job.stream = new ReplyStream(() => post({ type: "pull", slot }), cancel);
    job.settle({ status: "done", body: undefined, head, stream: job.stream });
  }

  #settle(slot: number, outcome: Outcome, elapsed?: number): void {
    const job = this.#jobs[slot];
    if (job === undefined) return;
    this.#forget(slot, job);
    this.#busySince = this.#heardAt;
    this.#freeSlots.push(slot);
    job.stream?.end(outcome.status === "failed" ? outcome.failure.message : undefined);
    this.#events?.onSettled(job, outcome, elapsed);
  }

  #forget(slot: number, job: Job): void {
    this.#jobs[slot] = undefined;
    this.#assigned--;
    if (job.expected < SHORT_CALL) this.#backlog -= job.expected;
    else this.#longAssigned--;
    if (this.#assigned === 0) {
      this.#condemned = false;
      this.#backlog = 0;
      this.#idleSince = this.#heardAt;
    }
  }

  /** Rejects the promises of loading, describing and serving. */
  #reject(error: ServiceLoadError): void {
    this.#booting.reject(error);
    this.#describing.reject(error);
    this.#serving.reject(error);
  }

  async #request({ id, request, timeout }: Extract<FromThread, { readonly type: "request" }>): Promise<void> {
    await this.#relay(id, (signal) => this.#messenger!.request(request, { timeout, signal }));
  }

  async #publish({ id, message }: Extract<FromThread, { readonly type: "publish" }>): Promise<void> {
    await this.#relay(id, (signal) => this.#messenger!.publish(message, { signal }));
  }

  async #relay(
    id: number,
    send: (signal: AbortSignal) => Promise<string | Uint8Array | void>,
  ): Promise<void> {
    const controller = new AbortController();
    this.#requests.set(id, controller);
    try {
      const body = await send(controller.signal) ?? undefined;
      if (!this.#ended) this.#thread.port.postMessage({ type: "answer", id, body });
    } catch (error) {
      if (!this.#ended && !controller.signal.aborted) {
        this.#thread.port.postMessage({ type: "refusal", id, failure: describeFailure(error) });
      }
    } finally {
      this.#requests.delete(id);
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = new ServiceLoadError(`Cannot load service in thread "${this.#name}": ${reason}`);
    this.#reject(error);
    this.#stopped.resolve();
    for (const controller of this.#requests.values()) controller.abort();
    const unstarted = this.takeBackUnstarted();
    const started = this.#jobs.filter((job) => job !== undefined);
    for (const { stream } of started) stream?.end(`The thread was lost: ${reason}`);
    this.#thread.port.onmessage = null;
    this.#thread.port.close();
    this.#events?.onEnd(this, reason, started, unstarted);
  }
}

/** Makes an error with the stack that `data` has, if any, because the author of the module needs it. */
function loadError({ name, message, data }: Failure): ServiceLoadError {
  const error = new ServiceLoadError(`${name}: ${message}`);
  if (typeof data === "string") error.stack = data;
  return error;
}
