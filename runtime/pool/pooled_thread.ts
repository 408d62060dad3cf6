import { Claims } from "../channel/claims.ts";
import { Inspections } from "../channel/inspections.ts";
import { ServiceLoadError } from "../message/errors.ts";
import { isChunk, isHead, nameOf, reportedOutcome } from "../channel/message_form.ts";
import type { Arrival, FromThread, ServeMessage, ServiceExport, ToThread } from "../channel/port.ts";
import { CANCELLED, type Job } from "./job.ts";
import type { LogRecord, LogThreshold } from "../log/log.ts";
import { Mailbox, type SlottedCall } from "./queue/mailbox.ts";
import { Recalls } from "./queue/recalls.ts";
import type { Messenger } from "../message/messenger.ts";
import { describeFailure } from "../message/failure.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import { isRecord } from "../message/plain.ts";
import type { KnownParameters } from "../service/declared/parameters.ts";
import type { CancelReason } from "../message/reply.ts";
import { ReplyStream } from "../message/reply_stream.ts";
import type { Thread, ThreadSpawner } from "../spawning/spawner.ts";
import { ThreadLog } from "./thread_log.ts";
import { ThreadRequests } from "./thread_requests.ts";
import { ThreadStart } from "./thread_start.ts";
import { Wear } from "./renewal/wear.ts";

/** Most characters of the code of an exit: any text may come in place of a number. */
const LONGEST_CODE = 20;

/** Events of a thread, for its pool. */
export interface ThreadEvents {
  /** A call has its outcome, and its job says how long the thread took for it, as far as that is known. */
  readonly onSettled: (thread: PooledThread, job: Job, outcome: Outcome) => void;
  /** The thread has skipped a call that the pool took back, so it has room again. */
  readonly onRoom: () => void;
  /**
   * The thread has said which of the calls that it was asked for have started. The others are back, in the order in which
   * they came to the pool.
   */
  readonly onReturned: (thread: PooledThread, jobs: readonly Job[]) => void;
  /** The thread is gone. It may have run the `started` calls, and has not run the `unstarted` ones. */
  readonly onEnd: (
    thread: PooledThread,
    reason: string,
    started: readonly Job[],
    unstarted: readonly Job[],
  ) => void;
}

/** One thread, as the main thread holds it: its mailbox, its messages and its end. */
export class PooledThread {
  #name: string;
  readonly #thread: Thread;
  readonly #claims: Claims;
  readonly #log: ThreadLog;
  readonly #mailbox: Mailbox;
  readonly #requests: ThreadRequests;
  readonly #start = new ThreadStart();
  /** Undefined if the thread shares its claims with this process, which then always knows what has started. */
  readonly #recalls: Recalls | undefined;
  readonly inspections: Inspections;
  readonly wear: Wear = new Wear();
  readonly #stopped = Promise.withResolvers<void>();
  #events: ThreadEvents | undefined;
  #messenger: Messenger | undefined;
  #condemned = false;
  #heardAt = performance.now();
  #pingedAt = 0;
  #busySince = 0;
  #idleSince = performance.now();
  #killedFor: string | undefined;
  #ended = false;

  /** @param begun The thread, if the spawner has made it before. @default {the spawner makes one} */
  constructor(
    spawner: ThreadSpawner,
    name: string,
    onLog: (record: LogRecord) => void,
    begun?: { readonly thread: Thread; readonly claims: Claims },
  ) {
    this.#name = name;
    this.#claims = begun?.claims ?? new Claims();
    this.#mailbox = new Mailbox(this.#claims);
    this.#log = new ThreadLog(name, onLog);
    this.#thread = begun?.thread ?? spawner.spawn({ name, claims: this.#claims.buffer });
    this.#recalls = this.#thread.recall && new Recalls({
      recall: (slots, onAnswer) => this.#thread.recall!(slots, onAnswer),
      takeBack: ([slot, job]) => this.jobs[slot] === job && this.#takeBack(slot),
      onAnswer: (jobs) => this.#events?.onReturned(this, jobs),
    });
    this.#requests = new ThreadRequests(this.#thread.port);
    this.inspections = new Inspections(this.#thread.port);
    this.#thread.port.onmessage = (arrival) => this.#receive(arrival);
    this.#thread.port.onfault = (fault) => this.kill(fault);
    void this.#thread.ended.then((reason) => this.#end(this.#killedFor ?? reason));
  }

  /** Name such as `greeting#1`, after the service, or after the module until the thread serves a service. */
  get name(): string {
    return this.#name;
  }

  /** Number of calls in the thread, running and waiting. */
  get assigned(): number {
    return this.#mailbox.size;
  }

  /** Milliseconds of work that the thread is expected to have; infinite if one of its calls is long. */
  get backlog(): number {
    return this.#mailbox.backlog;
  }

  /** Whether the thread can hold another call. */
  get hasSlot(): boolean {
    return this.#mailbox.hasSlot && this.#killedFor === undefined;
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

  /** Whether the thread has given no sign of life since it was last asked for one. */
  get isSilent(): boolean {
    return this.#heardAt < this.#pingedAt;
  }

  /** The calls in this thread, running and waiting, by their slots. */
  get jobs(): readonly (Job | undefined)[] {
    return this.#mailbox.jobs;
  }

  /** What the calls in this thread have sent and wait for. */
  get requests(): ThreadRequests {
    return this.#requests;
  }

  /** Returns what the module exports. Rejects with {@linkcode ServiceLoadError} if it does not load. */
  loaded(): Promise<readonly ServiceExport[]> {
    return this.#start.loaded;
  }

  /** Returns the same, with the descriptions of the entrypoints, which the thread needs time to find out. */
  describe(): Promise<readonly ServiceExport[]> {
    return this.#start.describe(() => this.#thread.port.postMessage({ type: "describe" }));
  }

  /**
   * Makes the thread serve one of its services. Resolves when the dependencies are set up, with what the
   * thread knows of the handlers' parameters.
   */
  serve(message: ServeMessage, messenger: Messenger, events: ThreadEvents): Promise<KnownParameters> {
    this.#name = this.#name.replace(/^.*(?=#)/, message.service);
    this.#log.serve(this.#name, message.service, message.logLimit);
    this.#messenger = messenger;
    this.#events = events;
    this.#thread.port.postMessage(message);
    return this.#start.serve(message.service);
  }

  /** Tells the thread the least severe level of the log records that it is to send. */
  tellLogThreshold(threshold: LogThreshold): void {
    this.#thread.port.postMessage({ type: "log threshold", threshold });
  }

  /** Gives the thread a call. */
  assign(job: Job): void {
    job.thread = this.#name;
    // An idle thread had no reason to give a sign of life.
    if (this.assigned === 0) this.#heardAt = this.#busySince = performance.now();
    const slot = this.#mailbox.add(job);
    try {
      this.#thread.port.postMessage({ type: "call", slot, call: job.invocation });
    } catch (error) {
      // The thread has not got the call, so the main thread wins the claim. The pool expects no outcome yet.
      this.#claims.takeBack(slot);
      const failure = describeFailure(error);
      queueMicrotask(() => this.#settle(slot, failed(failure)));
    }
  }

  /**
   * Takes back the calls that have not started. Returns them in the order in which they came to the pool. A thread of
   * another process is asked for its calls, and returns them later.
   */
  takeBackUnstarted(): Job[] {
    const taken: Job[] = [];
    const left: SlottedCall[] = [];
    for (const call of this.#mailbox.calls) {
      if (this.#takeBack(call[0])) taken.push(call[1]);
      else left.push(call);
    }
    this.#recalls?.ask(left);
    return taken.sort((a, b) => a.queuedAt - b.queuedAt);
  }

  /** Finds the calls whose time is up. Tells the started ones to stop, and takes the unstarted ones back. */
  expire(now: number): { readonly started: readonly Job[]; readonly unstarted: readonly Job[] } {
    const started: Job[] = [];
    const unstarted: Job[] = [];
    for (const [slot, job] of this.#mailbox.calls) {
      if (job.timeoutAt > now) continue;
      if (this.#takeBack(slot)) unstarted.push(job);
      else if (!this.#recalls?.putOff([slot, job], now)) {
        if (!job.timedOut) this.#thread.port.postMessage({ type: "cancel", slot, reason: "timeout" });
        started.push(job);
      }
    }
    return { started, unstarted };
  }

  /** The earliest time at which {@linkcode PooledThread.expire} has something to do. */
  get nextTimeout(): number {
    return this.#mailbox.nextTimeout;
  }

  /** Drops a call that nobody waits for, or tells it to stop if it runs. Returns false if it is not here. */
  cancel(job: Job): boolean {
    const slot = this.jobs.indexOf(job);
    if (slot === -1) return false;
    if (this.#takeBack(slot)) job.settle(CANCELLED);
    else {
      this.#recalls?.drop([slot, job]);
      this.#thread.port.postMessage({ type: "cancel", slot, reason: "cancelled" });
    }
    return true;
  }

  /** Tells the running calls to stop. */
  cancelAll(reason: CancelReason): void {
    for (const [slot] of this.#mailbox.calls) this.#thread.port.postMessage({ type: "cancel", slot, reason });
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

  /**
   * Ends the thread at once. The calls that it has started are lost. Only the end of a thread of another process tells
   * which these are.
   */
  kill(reason: string): void {
    this.#thread.kill();
    if (this.#recalls === undefined) return this.#end(reason);
    this.#killedFor ??= reason;
    this.#thread.port.onmessage = null;
  }

  #receive({ data: message, at }: Arrival<FromThread>): void {
    this.#heardAt = at;
    try {
      if (isRecord(message) && this.#take(message)) return;
      this.kill(`it sent a message out of form: ${nameOf(message)}`);
    } catch (error) {
      const reason = describeFailure(error).message;
      this.kill(`one of its messages could not be handled: ${nameOf(message)}: ${reason}`);
    }
  }

  /** Acts on a message. Returns false, without an effect, if no honest thread sends such a message. */
  #take(message: FromThread): boolean {
    switch (message.type) {
      case "done":
      case "failed": {
        const outcome = this.#mailbox.holds(message.slot) ? reportedOutcome(message) : undefined;
        if (outcome === undefined) return false;
        this.#settle(message.slot, outcome, message.elapsed);
        break;
      }
      case "opened":
        if (!this.#mailbox.holds(message.slot) || !isHead(message.head)) return false;
        if (this.jobs[message.slot]!.stream !== undefined) return false;
        this.#open(message);
        break;
      case "chunk":
        if (!this.#mailbox.holds(message.slot) || !isChunk(message.chunk)) return false;
        this.jobs[message.slot]!.stream?.deliver(message.chunk);
        break;
      case "skipped":
        if (!this.#mailbox.skipped(message.slot)) return false;
        this.#events?.onRoom();
        break;
      case "request":
      case "publish":
      case "withdraw":
        return this.#requests.take(message, this.#messenger);
      case "log":
        return this.#log.take(message.record);
      case "heap":
        return this.wear.takeHeap(message.used);
      case "inspected":
        return this.inspections.receive(message);
      case "loaded":
      case "described":
      case "ready":
      case "unready":
        return this.#start.take(message);
      case "exiting":
        if (typeof message.code === "object") return false;
        this.kill(`the service called Deno.exit(${String(message.code).slice(0, LONGEST_CODE)})`);
        break;
      case "stopped":
        this.#stopped.resolve();
        break;
      case "pong":
        break;
      default:
        return false;
    }
    return true;
  }

  #open({ slot, head }: Extract<FromThread, { readonly type: "opened" }>): void {
    const job = this.jobs[slot]!;
    const post = (message: ToThread) => void (this.#ended || this.#thread.port.postMessage(message));
    const cancel = (reason: CancelReason) => post({ type: "cancel", slot, reason });
    if (job.timedOut) return cancel("cancelled");
    job.timeoutAt = Infinity;
    job.stream = new ReplyStream(() => post({ type: "pull", slot }), cancel);
    job.settle({ status: "done", body: undefined, head, stream: job.stream });
  }

  #settle(slot: number, outcome: Outcome, elapsed?: number): void {
    const job = this.jobs[slot];
    if (job === undefined || this.#ended) return;
    this.#mailbox.remove(slot);
    this.#busySince = this.#heardAt;
    this.#noteIdle();
    job.stream?.end(outcome.status === "failed" ? outcome.failure.message : undefined);
    if (elapsed !== undefined) {
      job.ran = elapsed;
      job.endedAt = this.#heardAt;
    }
    this.wear.countCall();
    this.#events?.onSettled(this, job, outcome);
  }

  /** Takes a call back. Returns false if the thread has started the call. */
  #takeBack(slot: number): boolean {
    if (!this.#mailbox.takeBack(slot)) return false;
    this.#noteIdle();
    return true;
  }

  #noteIdle(): void {
    if (this.assigned > 0) return;
    this.#condemned = false;
    this.#idleSince = this.#heardAt;
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = new ServiceLoadError(`Cannot load service in thread "${this.#name}": ${reason}`);
    this.#start.reject(error);
    this.#stopped.resolve();
    this.#requests.end();
    this.#log.end();
    this.inspections.end();
    const unstarted = this.takeBackUnstarted();
    const started = this.jobs.filter((job) => job !== undefined);
    for (const { stream } of started) stream?.end(`The thread was lost: ${reason}`);
    this.#thread.port.onmessage = null;
    this.#thread.port.close();
    this.#events?.onEnd(this, reason, started, unstarted);
  }
}
