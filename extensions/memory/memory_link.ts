import type { ConsumeOptions, Topology, Verdict } from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import type { QueuedMessage } from "./backlog.ts";
import type { MemoryBroker } from "./broker.ts";
import { Handoff } from "./handoff.ts";
import type { Feed, Link, Taker } from "./link.ts";
import type { SealedMessage } from "./sealed_message.ts";
import { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";

const DONE = Promise.resolve();

interface Arrival {
  readonly feed: MemoryFeed;
  readonly tag: number;
  readonly entry: QueuedMessage;
}

/** A link to a broker of this process; it cannot be lost. */
export class MemoryLink implements Link {
  readonly #session: Session;
  readonly #closing = new AbortController();
  readonly #handoff = new Handoff<Arrival>(({ feed, tag, entry }) => feed.hand(tag, entry));

  constructor(broker: MemoryBroker) {
    this.#session = new Session(broker);
  }

  // deno-lint-ignore require-await -- what the session throws must reject
  async declare(topology: Topology): Promise<void> {
    this.#session.declare(topology);
  }

  publish(message: SealedMessage): Promise<void> {
    try {
      this.#session.publish(message);
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  // deno-lint-ignore require-await -- what the session throws must reject
  async consume(queue: string, taker: Taker, options: ConsumeOptions): Promise<Feed> {
    const feed = new MemoryFeed(taker, this.#session, this.#closing.signal);
    const sink = (tag: number, entry: QueuedMessage) => this.#handoff.add({ feed, tag, entry });
    feed.subscription = this.#session.consume(queue, sink, options);
    return feed;
  }

  // deno-lint-ignore require-await -- what the session throws must reject
  async countMessages(queue: string): Promise<number | undefined> {
    return this.#session.countMessages(queue);
  }

  // deno-lint-ignore require-await -- what the session throws must reject
  async deleteQueue(name: string): Promise<void> {
    this.#session.deleteQueue(name);
  }

  close(): Promise<void> {
    this.#session.close();
    this.#handoff.clear();
    this.#closing.abort(new BrokerError("Cannot settle a message: the transport that it came by is closed"));
    return DONE;
  }
}

class MemoryFeed implements Feed {
  subscription: Subscription | undefined;
  readonly #taker: Taker;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  #cancelled = false;

  constructor(taker: Taker, session: Session, signal: AbortSignal) {
    this.#taker = taker;
    this.#session = session;
    this.#signal = signal;
  }

  hand(
    tag: number,
    { message: { exchange, routingKey, body, properties }, redelivered }: QueuedMessage,
  ): void {
    if (this.#cancelled) this.subscription?.release(tag);
    else {
      this.#taker(this, tag, { exchange, routingKey, body, properties, redelivered, signal: this.#signal });
    }
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.subscription?.setPrefetch(prefetch);
    return DONE;
  }

  cancel(): Promise<void> {
    this.#cancelled = true;
    this.subscription?.cancel();
    return DONE;
  }

  settle(tag: number, verdict: Verdict): void {
    this.subscription?.settle(tag, verdict);
  }

  end(): Promise<void> {
    if (this.subscription?.settled) this.#session.forget(this.subscription);
    return DONE;
  }
}
