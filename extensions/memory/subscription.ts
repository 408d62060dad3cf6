import type { Verdict } from "../../runtime/message/transport.ts";
import type { QueuedMessage } from "./backlog.ts";
import type { Queue, QueueConsumer } from "./queue.ts";

/** Takes a delivery on its way to the receiver; the tag is what a verdict refers to. */
export type Sink = (tag: number, entry: QueuedMessage) => void;

/** A consumer as the broker knows it: what it may still take, and what it owes a verdict on. */
export class Subscription implements QueueConsumer {
  readonly exclusive: boolean;
  readonly #queue: Queue;
  readonly #sink: Sink;
  /** By delivery tag. */
  readonly #open = new Map<number, QueuedMessage>();
  #prefetch: number;
  #tag = 0;
  #cancelled = false;

  constructor(queue: Queue, sink: Sink, prefetch: number, exclusive: boolean) {
    this.#queue = queue;
    this.#sink = sink;
    this.#prefetch = prefetch;
    this.exclusive = exclusive;
  }

  get free(): boolean {
    return this.#open.size < this.#prefetch && !this.#cancelled;
  }

  /** Whether no delivery waits for its verdict. */
  get settled(): boolean {
    return this.#open.size === 0;
  }

  take(entry: QueuedMessage): void {
    this.#open.set(++this.#tag, entry);
    this.#sink(this.#tag, entry);
  }

  /** A verdict on a delivery that is not open is void. */
  settle(tag: number, verdict: Verdict): void {
    const entry = this.#open.get(tag);
    if (entry === undefined) return;
    this.#open.delete(tag);
    if (verdict === "requeue") {
      entry.redelivered = true;
      return this.#queue.restore(entry);
    }
    if (verdict === "reject") this.#queue.bury(entry, "rejected");
    this.#queue.dispatch();
  }

  /** Gives back a delivery that no receiver has seen. */
  release(tag: number): void {
    const entry = this.#open.get(tag);
    if (entry === undefined) return;
    this.#open.delete(tag);
    this.#queue.restore(entry);
  }

  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch;
    this.#queue.dispatch();
  }

  /** Takes nothing more; open deliveries keep their right to a verdict. */
  cancel(): void {
    this.#cancelled = true;
    this.#queue.removeConsumer(this);
  }

  orphan(): void {
    this.#cancelled = true;
  }

  /** Cancels, and gives open deliveries back. */
  close(): void {
    // Back before the queue hears of the cancel: where it goes with its last consumer, they go with it
    this.#cancelled = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const entry of open) {
      entry.redelivered = true;
      this.#queue.restore(entry);
    }
    this.#queue.removeConsumer(this);
  }
}
