import type { ConsumeOptions } from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import type { QueuedMessage } from "./backlog.ts";
import { Handoff } from "./handoff.ts";
import type { Eventual, Feed, Link, Taker } from "./link.ts";
import { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";

interface Arrival {
  readonly taker: Taker;
  readonly subscription: Subscription;
  readonly tag: number;
  readonly entry: QueuedMessage;
}

/** A memory link leads to a broker of this process, so it is never lost. It hands deliveries out in a handoff. */
export class MemoryLink extends Session implements Link {
  readonly lost = false;
  readonly #closing = new AbortController();
  readonly #handoff = new Handoff<Arrival>((arrival) => this.#hand(arrival));

  consume(queue: string, taker: Taker, options: ConsumeOptions): Feed {
    return this.subscribe(
      queue,
      (subscription, tag, entry) => this.#handoff.add({ taker, subscription, tag, entry }),
      options,
    );
  }

  override close(): Eventual<void> {
    super.close();
    this.#handoff.clear();
    this.#closing.abort(
      new BrokerError("Cannot settle a message: the transport that delivered it is closed"),
    );
  }

  #hand({ taker, subscription, tag, entry: { message, returns, offset } }: Arrival): void {
    if (subscription.cancelled) return subscription.release(tag);
    const { exchange, routingKey, body, properties } = message;
    const { signal } = this.#closing;
    const delivery = { exchange, routingKey, body, properties, redelivered: returns > 0, signal };
    taker(subscription, tag, offset === undefined ? delivery : { ...delivery, offset });
  }
}
