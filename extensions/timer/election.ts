/**
 * Which of many instances ticks.
 *
 * Invariant, as far as the broker can see: one instance at a time holds the exclusive consumer of the queue, and
 * an instance acts as the leader only while it holds it. The broker takes the consumer from an instance whose
 * connection is lost; that instance ends its term when it learns of it, gives the consumer up for good (a
 * transport would resume it, beside the new leader's), and stands again like everybody else. Between the
 * broker's knowledge and the instance's own, two may lead: that is the price of a lock without fencing.
 *
 * The queue carries no messages. It expires when nobody has consumed it for a while, and so is declared before
 * each attempt.
 */
import { abortable, pause } from "../../runtime/waiting/abort.ts";
import type { Log } from "../../runtime/log/log.ts";
import type { Consumer, Topology, Transport } from "../../runtime/message/transport.ts";

/** Options of {@linkcode standForElection}. */
export interface ElectionOptions {
  /** One name for all who compete. */
  readonly queue: string;
  /** What the leader does, until `signal` aborts or it has nothing more to do. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  /** Ends it, and the term in progress with it. */
  readonly signal: AbortSignal;
}

/** Milliseconds by which the time between two attempts to become the leader grows, and its limit. */
const ATTEMPT_STEP = 1_000;
const ATTEMPT_LIMIT = 5_000;

/**
 * Milliseconds until the next attempt after so many that failed.
 *
 * A broker logs each as an error, so those who stand by do not ask every second; nor does a new leader come late.
 */
export function attemptInterval(failures: number): number {
  return Math.min(failures * ATTEMPT_STEP, ATTEMPT_LIMIT);
}

/** Milliseconds that a queue nobody consumes stays. */
const QUEUE_EXPIRES = 3_600_000;

/** What has to be declared for an election; also fine to declare by hand, to learn that it is permitted. */
export function electionTopology(queue: string): Topology {
  return { queues: [{ name: queue, arguments: { "x-expires": QUEUE_EXPIRES } }] };
}

/** Leads whenever elected; resolves when `lead` has ended by itself, or when `signal` aborts and it has ended. */
export async function standForElection(
  transport: Transport,
  { queue, lead, log, signal }: ElectionOptions,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await using term = await Term.begin(transport, queue, signal).catch((error) => {
      if (failures === 0 && !signal.aborted) log.info(`Stands by at "${queue}": ${error.message}`);
      return undefined;
    });
    if (term === undefined) {
      await pause(attemptInterval(++failures), signal).catch(() => {});
      continue;
    }
    failures = 0;
    log.info(`Leads at "${queue}"`);
    const either = AbortSignal.any([signal, term.signal]);
    await lead(either);
    if (!either.aborted) return;
    if (!signal.aborted) log.warning(`Leads no more at "${queue}": its consumer was interrupted`);
  }
}

/** The time for which this instance is the leader. Disposing it lets another lead. */
class Term implements AsyncDisposable {
  readonly #over = new AbortController();
  #consumer: Consumer | undefined;

  /**
   * Becomes the leader.
   *
   * An outage is waited out; a term that comes when `signal` has aborted meanwhile is given up at once.
   *
   * @throws {BrokerError} If there is one.
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

  /** Aborted when it has ended. */
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

/** Who sends something to the queue is mistaken. */
const TAKEN = Promise.resolve("ack" as const);
