import type { ConsumeOptions, Topology } from "../../runtime/message/transport.ts";
import { BrokerError, UnroutableError } from "../../runtime/message/errors.ts";
import type { MemoryBroker } from "./broker.ts";
import type { SealedMessage } from "./sealed_message.ts";
import { type Sink, Subscription } from "./subscription.ts";

/** A session is one connection to a broker of this process. It owns everything that goes when it closes. */
export class Session {
  readonly #broker: MemoryBroker;
  readonly #subscriptions = new Set<Subscription>();

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
    broker.join(this);
  }

  /** @throws {BrokerError} If the broker has something of that name with other properties. */
  declare({ exchanges = [], queues = [], bindings = [] }: Topology): void {
    for (const exchange of exchanges) this.#broker.declareExchange(exchange);
    for (const queue of queues) this.#broker.declareQueue(queue, this);
    for (const binding of bindings) this.#broker.bind(binding, this);
  }

  /**
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   * @throws {BrokerError} If the exchange does not exist.
   */
  publish(message: SealedMessage): void {
    if (!this.#broker.route(message) && message.mandatory) {
      throw new UnroutableError(message.exchange, message.routingKey);
    }
  }

  /** @throws {BrokerError} If the queue does not exist, or if the new or another consumer is exclusive. */
  subscribe(name: string, sink: Sink, options: ConsumeOptions): Subscription {
    const queue = this.#broker.queue(name, "consume", this);
    if (queue.consumers.some((consumer) => options.exclusive || consumer.exclusive)) {
      throw new BrokerError(
        `Cannot consume queue "${name}": it has a consumer already, and one of the two is exclusive. ` +
          "Stop the other consumer first",
      );
    }
    const subscription = new Subscription(queue, sink, options, this.#subscriptions);
    this.#subscriptions.add(subscription);
    queue.addConsumer(subscription);
    return subscription;
  }

  /** @throws {BrokerError} If the queue is exclusive to another connection. */
  countMessages(name: string): number | undefined {
    return this.#broker.countMessages(name, this);
  }

  /** @throws {BrokerError} If the queue is exclusive to another connection. */
  deleteQueue(name: string): void {
    this.#broker.deleteQueue(name, this);
  }

  /** Gives all open deliveries back to their queues and removes the queues that this connection owns alone. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions.clear();
    this.#broker.leave(this);
  }
}
