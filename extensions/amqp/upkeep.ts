/**
 * Keeps the consumers of a transport consuming.
 *
 * The invariant: a consumer that is wanted consumes, or a loop tries to resume it on the live link, or the next
 * link resumes it, or the broker has closed the connection for it so often that it is given up. Nothing else
 * ends a consumer, and each of these states is reported.
 */

import { BrokerError } from "../../runtime/message/errors.ts";
import type { TransportStatus } from "../../runtime/message/transport.ts";
import { within } from "../../runtime/waiting/abort.ts";
import type { QueueConsumer } from "./consumer.ts";
import type { Link } from "./link.ts";
import { isGivenUp, reasonOf, refusal } from "./refusal.ts";
import { isHeld, type RememberedTopology } from "./topology.ts";

/** Options of {@linkcode Upkeep}. */
export interface UpkeepOptions {
  readonly broker: string;
  readonly topology: RememberedTopology;
  readonly onStatus: (status: TransportStatus) => void;
  /** Returns the milliseconds to wait before an attempt. The first attempt has the number 0. */
  readonly backoff: (attempt: number) => number;
}

/** A consumer or a declaration that the broker refused on a new link. */
export interface Missing {
  readonly consumer?: QueueConsumer;
  readonly declare: () => Promise<void>;
  readonly trouble: unknown;
}

/** Resumes the consumers of a transport. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #consumers = new Set<QueueConsumer>();
  /** The link on which a loop tries to resume the consumer. */
  readonly #resuming = new Map<QueueConsumer, Link>();
  #inspecting = false;
  /** Queues that were reported as not consumed. */
  readonly #reported = new Set<string>();
  readonly #history = new WeakMap<QueueConsumer, { attempts: number; resumedAt: number }>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  add(consumer: QueueConsumer): void {
    this.#consumers.add(consumer);
  }

  delete(consumer: QueueConsumer): void {
    this.#consumers.delete(consumer);
    if (this.#isServed(consumer.queue)) this.#reported.delete(consumer.queue);
  }

  /** Returns whether a queue is to be consumed. */
  has(queue: string): boolean {
    return [...this.#consumers].some((consumer) => consumer.queue === queue);
  }

  /** Stops resuming the consumers of a queue. */
  abandon(queue: string): void {
    for (const consumer of this.#consumers) {
      if (consumer.queue === queue) consumer.abandon();
    }
  }

  /** Returns whether every wanted consumer consumes. A consumer that nobody resumes is resumed. */
  check(link: Link | undefined): boolean {
    let complete = true;
    for (const consumer of this.#consumers) {
      if (consumer.consuming) continue;
      complete = false;
      if (link !== undefined && !consumer.changing && consumer.givenUp === undefined) {
        this.mend(consumer, link, "it was found missing");
      }
    }
    return complete;
  }

  /** Checks all consumers, and makes the bindings of their queues again. Never rejects. */
  async inspect(link: Link | undefined): Promise<void> {
    this.check(link);
    if (link === undefined || this.#inspecting) return;
    this.#inspecting = true;
    const { broker, topology, onStatus } = this.#options;
    for (const queue of new Set([...this.#consumers].map(({ queue }) => queue))) {
      if (!link.alive || !this.#isServed(queue)) continue;
      await topology.refreshBindings(link, queue).catch((error) => {
        if (link.alive) onStatus({ state: "refused", broker, reason: reasonOf(error) });
      });
    }
    this.#inspecting = false;
  }

  /**
   * Declares everything again and resumes all consumers. What the broker refuses holds up nothing else.
   *
   * @returns What was refused.
   */
  async restore(link: Link): Promise<readonly Missing[]> {
    const { topology } = this.#options;
    const troubles = await topology.restore(link);
    const missing: Missing[] = [];
    for (const consumer of this.#consumers) {
      const trouble = troubles.queues.get(consumer.queue) ?? await this.#resume(consumer, link);
      const declare = () => topology.restoreQueue(link, consumer.queue);
      if (trouble !== undefined) missing.push({ consumer, declare, trouble });
    }
    const consumed = new Set([...this.#consumers].map(({ queue }) => queue));
    for (const [queue, trouble] of troubles.queues) {
      if (!consumed.has(queue)) missing.push({ declare: () => topology.restoreQueue(link, queue), trouble });
    }
    for (const [exchange, trouble] of troubles.exchanges) {
      missing.push({ declare: () => topology.restoreExchange(link, exchange), trouble });
    }
    return missing;
  }

  /** Continues with what {@linkcode restore} could not bring back. */
  retry(link: Link, missing: readonly Missing[]): void {
    for (const { consumer, declare, trouble } of missing) {
      if (consumer !== undefined) void this.#keepResuming(consumer, link, trouble);
      else void this.#keepDeclaring(link, declare, trouble);
    }
  }

  /** Resumes a consumer that the broker has ended. */
  mend(consumer: QueueConsumer, link: Link, reason: string): void {
    if (this.#resuming.get(consumer) === link) return;
    const { broker, onStatus } = this.#options;
    const { queue } = consumer;
    this.#reported.add(queue);
    onStatus({ state: "interrupted", broker, queue, reason });
    void this.#keepResuming(consumer, link, undefined);
  }

  /** Tries to resume a consumer until it consumes, or until the link is lost. Never rejects. */
  async #keepResuming(consumer: QueueConsumer, link: Link, trouble: unknown): Promise<void> {
    if (this.#resuming.get(consumer) === link) return;
    this.#resuming.set(consumer, link);
    const history = this.#historyOf(consumer);
    let wasHeld = false;
    while (link.alive && consumer.wanted && !consumer.consuming) {
      let retryIn = this.#options.backoff(history.attempts++);
      if (isHeld(trouble)) {
        retryIn = REGAIN_INTERVAL;
        if (!wasHeld) this.#report("held", consumer, trouble, retryIn);
        wasHeld = true;
      } else if (isGivenUp(trouble)) {
        this.#report("refused", consumer, trouble, undefined);
        break;
      } else if (trouble !== undefined) {
        retryIn = Math.max(retryIn, SHORTEST_WAIT);
        this.#report("refused", consumer, trouble, retryIn);
      }
      if (retryIn > 0) await within(retryIn, link.lost);
      if (link.alive && consumer.wanted) trouble = await this.#attempt(consumer, link);
    }
    if (this.#resuming.get(consumer) === link) this.#resuming.delete(consumer);
  }

  /** Tries to declare what no consumer needs, until the broker accepts it or the link is lost. Never rejects. */
  async #keepDeclaring(link: Link, declare: Missing["declare"], refused: unknown): Promise<void> {
    const { broker, onStatus, backoff } = this.#options;
    for (let attempt = 1, trouble = refused; trouble !== undefined; attempt++) {
      const reason = reasonOf(trouble);
      if (isGivenUp(trouble)) return onStatus({ state: "refused", broker, reason });
      const retryIn = Math.max(backoff(attempt), SHORTEST_WAIT);
      onStatus({ state: "refused", broker, reason, retryIn });
      await within(retryIn, link.lost);
      if (!link.alive) return;
      trouble = await declare().then(() => undefined, (error) => link.alive ? error : undefined);
    }
  }

  async #attempt(consumer: QueueConsumer, link: Link): Promise<unknown> {
    try {
      await this.#options.topology.restoreQueue(link, consumer.queue);
    } catch (error) {
      return error;
    }
    return await this.#resume(consumer, link).catch((error) => error);
  }

  /**
   * @returns Why the consumer does not consume; undefined if it does.
   * @throws {Error} If the link is lost.
   */
  async #resume(consumer: QueueConsumer, link: Link): Promise<unknown> {
    const { queue } = consumer;
    try {
      await consumer.resume(link);
    } catch (error) {
      const trouble = refusal(`consume queue "${queue}"`, error);
      if (!link.alive) throw trouble;
      return trouble;
    }
    if (!consumer.wanted) return undefined;
    if (!consumer.consuming) {
      return new BrokerError(`Cannot consume queue "${queue}": the broker ended the consumer at once`);
    }
    this.#historyOf(consumer).resumedAt = performance.now();
    if (this.#isServed(queue) && this.#reported.delete(queue)) {
      this.#options.onStatus({ state: "regained", broker: this.#options.broker, queue });
    }
    return undefined;
  }

  #report(
    state: "held" | "refused",
    { queue }: QueueConsumer,
    trouble: unknown,
    retryIn: number | undefined,
  ): void {
    const { broker, onStatus } = this.#options;
    this.#reported.add(queue);
    if (state === "held") onStatus({ state, broker, queue, retryIn: retryIn! });
    else {onStatus({
        state,
        broker,
        queue,
        reason: reasonOf(trouble),
        ...(retryIn !== undefined && { retryIn }),
      });}
  }

  #isServed(queue: string): boolean {
    return [...this.#consumers].every((consumer) => consumer.queue !== queue || consumer.consuming);
  }

  /** Returns how often a consumer was resumed in short succession. A consumer that has lasted begins anew. */
  #historyOf(consumer: QueueConsumer): { attempts: number; resumedAt: number } {
    let history = this.#history.get(consumer);
    if (history === undefined) this.#history.set(consumer, history = { attempts: 0, resumedAt: -Infinity });
    if (consumer.consuming) return history;
    if (performance.now() - history.resumedAt > LASTING) history.attempts = 0;
    return history;
  }
}

/** Milliseconds between two attempts to get an exclusive queue back. */
const REGAIN_INTERVAL = 1_000;

/** Milliseconds after which an attempt that was refused comes again at the earliest. */
const SHORTEST_WAIT = 100;

/** Milliseconds after which a consumer counts as steady, so that its next interruption is mended at once. */
const LASTING = 10_000;
