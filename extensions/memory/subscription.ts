import type { ConsumeOptions, StreamOffset, Verdict } from "../../runtime/message/transport.ts";
import type { QueuedMessage } from "./backlog.ts";
import type { Feed } from "./link.ts";
import type { Queue, QueueConsumer } from "./queue.ts";
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

/** Takes a delivery on its way to the receiver. A verdict names the delivery by its tag. */
export type Sink = (subscription: Subscription, tag: number, entry: QueuedMessage) => void;

/** The broker sees a consumer as a subscription, which knows the deliveries that wait for their verdict. */
export class Subscription implements QueueConsumer, Feed {
  readonly exclusive: boolean;
  readonly offset: StreamOffset | undefined;
  readonly #queue: Queue;
  readonly #sink: Sink;
  readonly #siblings: Set<Subscription>;
  /** The keys are delivery tags. */
  readonly #open = new PendingMap<number, QueuedMessage>();
  readonly #noAck: boolean;
  #prefetch: number;
  #tag = 0;
  #cancelled = false;

  /** @param siblings The session keeps its subscriptions in this set, and an ended one leaves the set. */
  constructor(
    queue: Queue,
    sink: Sink,
    { prefetch, exclusive = false, offset, noAck = false }: ConsumeOptions,
    siblings: Set<Subscription>,
  ) {
    this.#queue = queue;
    this.#sink = sink;
    this.#prefetch = prefetch;
    this.exclusive = exclusive;
    this.offset = offset;
    this.#noAck = noAck && offset === undefined;
    this.#siblings = siblings;
  }

  get free(): boolean {
    return this.#open.size < this.#prefetch && !this.#cancelled;
  }

  get held(): number {
    return this.#open.size;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Says whether every delivery has its verdict. */
  get settled(): boolean {
    return this.#open.size === 0;
  }

  take(entry: QueuedMessage): void {
    this.#open.set(++this.#tag, entry);
    this.#sink(this, this.#tag, entry);
  }

  /** Carries out a verdict, which has no effect on a delivery that is not open. */
  settle(tag: number, verdict: Verdict): void {
    const entry = this.#open.get(tag);
    if (entry === undefined) return;
    this.#open.delete(tag);
    if (this.#noAck) return this.#queue.dispatch();
    if (verdict === "requeue") {
      entry.returns++;
      return this.#queue.restore(entry, this);
    }
    if (verdict === "reject") this.#queue.bury(entry, "rejected");
    this.#queue.dispatch();
  }

  /** Gives back a delivery that no receiver has seen. */
  release(tag: number): void {
    const entry = this.#open.get(tag);
    if (entry === undefined) return;
    this.#open.delete(tag);
    this.#queue.restore(entry, this);
  }

  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch;
    this.#queue.dispatch();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#queue.removeConsumer(this);
  }

  /** Leaves the session if every delivery has its verdict. */
  end(): void {
    if (this.settled) this.#siblings.delete(this);
  }

  /** Cancels the subscription and gives open deliveries back to the queue, unless the queue has forgotten them. */
  close(): void {
    // The deliveries go back before the queue hears of the cancel, for the queue may go with its last consumer
    this.#cancelled = true;
    const open = this.#noAck ? [] : [...this.#open.values()];
    this.#open.clear();
    for (const entry of open) {
      entry.returns++;
      this.#queue.restore(entry, this);
    }
    this.#queue.removeConsumer(this);
  }
}
