/**
 * What a test knows of the calls of its services: which run, which have ended, and who waits for one.
 *
 * Invariant: a call that has ended is given to one waiter at most, the first that it suits, and waits for one
 * otherwise. So it does not matter whether a test begins to wait before or after the end of the call. The end of a call
 * that came by a message is that of its delivery: the broker then knows the verdict.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Outcome } from "../../runtime/message/outcome.ts";
import type { Payloads } from "../../runtime/message/payload/payloads.ts";
import type { FieldTable, Verdict } from "../../runtime/message/transport.ts";
import {
  argumentsOf,
  contextDataOf,
  outcomeOf,
  type ReadCall,
  type TestCallOutcome,
} from "./call_content.ts";

/** A call of a service that has ended. */
export interface TestCall<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** Id of the call, as its handler has it in `call.id`; undefined if the configuration turns `telemetry` off. */
  readonly id: string | undefined;
  /** Name of the service. */
  readonly service: string;
  /** The method that ran. */
  readonly method: string;
  /** Kind of the entrypoint, such as `rpc`. */
  readonly kind: string;
  /**
   * The arguments by position, as they were on the wire: before schemas, and without defaults. A call by HTTP has the
   * request and the variables of its path, one by WebSocket the id of its socket first, and a tick has none.
   */
  readonly args: Args;
  /** The arguments by name, of calls by RPC and WebSocket. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Context data that came with the call. */
  readonly headers: FieldTable;
  /**
   * How it has ended. The result of a call by HTTP is its response, of which a part that is streamed is left out: such
   * a call counts as ended when its stream begins. The result of an event, a message and a tick is always undefined.
   */
  readonly outcome: TestCallOutcome<Result>;
}

/** A call that begins. */
export interface BegunCall extends ReadCall {
  readonly service: string;
  readonly id: string | undefined;
}

interface Waiter {
  readonly suits: (call: TestCall) => boolean;
  readonly resolve: (call: TestCall) => void;
  readonly reject: (error: unknown) => void;
}

/** The ends of the calls that the delivery of the present moment has led to. */
const DELIVERY = new AsyncLocalStorage<(() => void)[]>();

/** Options of {@linkcode CallJournal}. */
export interface CallJournalOptions {
  /** Number of ended calls that are kept until somebody waits for them. */
  readonly keep: number;
  readonly payloads: Payloads;
}

/** Keeps the calls of one test. */
export class CallJournal {
  readonly #options: CallJournalOptions;
  readonly #running = new Set<BegunCall>();
  readonly #ended: TestCall[] = [];
  readonly #waiters = new Set<Waiter>();
  /** Deliveries without a verdict, what the test itself has asked for, and ends that are being told. */
  #open = 0;
  #total = 0;
  #change = Promise.withResolvers<void>();

  constructor(options: CallJournalOptions) {
    this.#options = options;
  }

  /** The calls that have begun and not ended, the oldest first. */
  get running(): readonly BegunCall[] {
    return [...this.#running];
  }

  /** The ended calls that nobody has waited for, in the order of their ends. */
  get ended(): readonly TestCall[] {
    return this.#ended;
  }

  /** Number of calls that have ended. */
  get total(): number {
    return this.#total;
  }

  /** Whether no call runs, and nothing is under way between the services, the broker and the test. */
  get isQuiet(): boolean {
    return this.#running.size === 0 && this.#open === 0;
  }

  /** Resolves when a call, a delivery or something that the test has asked for has ended. */
  get change(): Promise<void> {
    return this.#change.promise;
  }

  /** Counts what the test asks for as under way until it has its answer. */
  async ask<Result>(ask: () => Promise<Result>): Promise<Result> {
    this.#open++;
    try {
      return await ask();
    } finally {
      this.#close();
    }
  }

  /** Runs the receiver of a delivery. The calls that it leads to end when the broker knows the verdict. */
  readonly deliver = async (receive: () => Promise<Verdict>): Promise<Verdict> => {
    const ends: (() => void)[] = [];
    this.#open++;
    try {
      return await DELIVERY.run(ends, receive);
    } finally {
      // The transport hands the verdict over in the microtasks that follow.
      void nextTurn().then(() => {
        for (const end of ends) end();
        this.#close();
      });
    }
  };

  /** Runs a call, and keeps it when it has ended. A call that no thread has run has not ended. */
  async run(call: BegunCall, run: () => Promise<Outcome>): Promise<Outcome> {
    const delivery = DELIVERY.getStore();
    this.#running.add(call);
    const reading = argumentsOf(call, this.#options.payloads);
    const outcome = await run();
    if (outcome.status === "unstarted") {
      this.#running.delete(call);
      this.#tell();
      return outcome;
    }
    const end = async () => {
      const { id, service, method, kind } = call;
      const { args, kwargs } = await reading;
      const ended = await outcomeOf(kind, outcome, this.#options.payloads);
      const headers = contextDataOf(call.payload);
      this.#keep({ id, service, method, kind, args, kwargs, headers, outcome: ended });
      this.#running.delete(call);
      this.#tell();
    };
    if (delivery === undefined) void end();
    else delivery.push(() => void end());
    return outcome;
  }

  /**
   * Takes the oldest ended call that suits, or waits for one.
   *
   * @throws What `suits` throws, or the reason of `signal`.
   */
  async take(suits: (call: TestCall) => boolean, signal: AbortSignal): Promise<TestCall> {
    const place = this.#ended.findIndex(suits);
    if (place >= 0) return this.#ended.splice(place, 1)[0]!;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<TestCall>();
    const waiter = { suits, resolve, reject };
    const abort = () => reject(signal.reason);
    this.#waiters.add(waiter);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener("abort", abort);
    }
  }

  #keep(call: TestCall): void {
    this.#total++;
    for (const waiter of this.#waiters) {
      try {
        if (!waiter.suits(call)) continue;
        this.#waiters.delete(waiter);
        return waiter.resolve(call);
      } catch (error) {
        waiter.reject(error);
      }
    }
    this.#ended.push(call);
    if (this.#ended.length > this.#options.keep) this.#ended.shift();
  }

  #close(): void {
    this.#open--;
    this.#tell();
  }

  #tell(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
