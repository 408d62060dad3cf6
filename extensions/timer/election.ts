/**
 * Decides which of many instances ticks.
 *
 * Invariant, as far as the broker can see: one instance at a time holds the exclusive consumer of the queue,
 * and an instance acts as the leader only while it holds this consumer. The broker takes the consumer from an
 * instance whose connection is lost. When that instance learns of the loss, it ends its term, gives up the
 * consumer for good, and then stands for election again like every other instance. It must give up the
 * consumer, because a transport would resume it beside the consumer of the new leader.
 *
 * The invariant fails for a short time: after the broker has noticed a lost connection, and before the
 * instance has noticed it, two instances may lead. That is the price of a lock without fencing.
 *
 * The queue carries no messages. It expires when nobody has consumed it for a while, so each attempt declares
 * it first. It is a classic queue, whatever the default of the broker is: RabbitMQ lets a quorum queue have any
 * number of exclusive consumers, so that every instance would lead.
 */
import { abortable, pause } from "../../runtime/waiting/abort.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import type { Log } from "../../runtime/log/log.ts";
import type { Consumer, Topology, Transport } from "../../runtime/message/transport.ts";

/** Options of {@linkcode standForElection}. */
export interface ElectionOptions {
  /** Name of the queue. All instances that compete use the same name. */
  readonly queue: string;
  /** Name of what the leader does, for the log. @default {the name of the queue} */
  readonly name?: string;
  /** Does the work of the leader until `signal` aborts or there is nothing more to do. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  /** Ends the candidacy, and a term in progress with it. */
  readonly signal: AbortSignal;
  /** Times the attempts. @default {the clock of the machine} */
  readonly clock?: Clock;
}

/** Milliseconds by which the time between two attempts to become the leader grows, and its limit. */
const ATTEMPT_STEP = 1_000;
const ATTEMPT_LIMIT = 5_000;

/**
 * Returns the milliseconds until the next attempt, after `failures` attempts that failed.
 *
 * A broker logs each failed attempt as an error, so an instance that stands by does not try every second. The
 * time has a limit, so that a new leader does not come late.
 */
export function attemptInterval(failures: number): number {
  return Math.min(failures * ATTEMPT_STEP, ATTEMPT_LIMIT);
}

/** Milliseconds that the broker keeps a queue that nobody consumes. */
const QUEUE_EXPIRES = 3_600_000;

/**
 * Returns what must be declared for an election. A caller may also declare it beforehand, to learn whether
 * that is permitted.
 */
export function electionTopology(queue: string): Topology {
  return {
    queues: [{ name: queue, arguments: { "x-expires": QUEUE_EXPIRES, "x-queue-type": "classic" } }],
  };
}

/**
 * Stands for election again and again, and leads after each victory. Resolves when `lead` has ended by
 * itself, or when `signal` has aborted and `lead` has ended.
 */
export async function standForElection(
  transport: Transport,
  { queue, name = queue, lead, log, signal, clock = SYSTEM_CLOCK }: ElectionOptions,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await using term = await Term.begin(transport, queue, signal).catch((error) => {
      if (failures === 0 && !signal.aborted) log.info(`Stands by at "${queue}": ${error.message}`);
      return undefined;
    });
    if (term === undefined) {
      await pause(attemptInterval(++failures), signal, clock).catch(() => {});
      continue;
    }
    failures = 0;
    log.info(`${name} ticks in this process (once per cluster)`);
    const either = AbortSignal.any([signal, term.signal]);
    await lead(either);
    if (!either.aborted) return;
    if (!signal.aborted) log.warning(`No longer leads at "${queue}": its consumer was interrupted`);
  }
}

/** The time for which this instance is the leader. Disposing the term lets another instance lead. */
class Term implements AsyncDisposable {
  readonly #over = new AbortController();
  #consumer: Consumer | undefined;

  /**
   * Becomes the leader.
   *
   * During an outage of the broker this method waits. If `signal` aborts meanwhile, this method rejects, and
   * gives up at once a term that begins later.
   *
   * @throws {BrokerError} If there already is a leader.
   * @throws {unknown} The signal's reason once the signal aborts.
   */
  static async begin(transport: Transport, queue: string, signal: AbortSignal): Promise<Term> {
    const term = new Term();
    const begun = term.#begin(transport, queue);
    try {
      await abortable(begun, signal);
      return term;
    } catch (error) {
      begun.then(() => term[Symbol.asyncDispose]()).catch(() => {});
      throw error;
    }
  }

  /** Aborts when the term ends. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#consumer?.stop();
  }

  async #begin(transport: Transport, queue: string): Promise<void> {
    await transport.declare(electionTopology(queue));
    this.#consumer = await transport.consume(queue, () => TAKEN, {
      prefetch: 1,
      exclusive: true,
      onInterrupted: () => void this[Symbol.asyncDispose]().catch(() => {}),
    });
    if (this.signal.aborted) await this.#consumer.stop();
  }
}

/** Verdict on every message of the queue: a message can come there only by mistake. */
const TAKEN = Promise.resolve("ack" as const);
