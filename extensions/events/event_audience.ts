import { UnroutableError } from "../../runtime/message/errors.ts";
import type { Log } from "../../runtime/log/log.ts";
import type { PublishOptions } from "../../runtime/message/messenger.ts";
import type { Message, Transport } from "../../runtime/message/transport.ts";
import { eventExchangeOf } from "./topology.ts";

/** Most types of events of one service that are looked at. */
const MOST_TYPES = 1_000;

/**
 * Says in the log that nobody handles an event of a service: its type may be misspelled here or at the handler.
 *
 * The first event of each type asks the broker to tell whether a queue has taken it. So it says nothing of a handler
 * that comes or goes later.
 */
export class EventAudience {
  readonly #service: string;
  readonly #exchange: string;
  readonly #transport: Transport;
  readonly #log: Log;
  readonly #known = new Set<string>();

  constructor(service: string, transport: Transport, log: Log) {
    this.#service = service;
    this.#exchange = eventExchangeOf(service);
    this.#transport = transport;
    this.#log = log;
  }

  /** Whether a message is the first event of its type. */
  isFirst({ exchange, routingKey, mandatory }: Message): boolean {
    return exchange === this.#exchange && mandatory !== true && !this.#known.has(routingKey) &&
      this.#known.size < MOST_TYPES;
  }

  /** Publishes an event that is the first of its type. */
  async publish(message: Message, options?: PublishOptions): Promise<void> {
    this.#known.add(message.routingKey);
    try {
      await this.#transport.publish({ ...message, mandatory: true }, options);
    } catch (error) {
      if (!(error instanceof UnroutableError)) throw error;
      this.#log.info(
        `Nobody handles event "${message.routingKey}" of service "${this.#service}": no queue takes it. ` +
          "Check its name here and at the handler, or start the handler's service once",
      );
    }
  }
}
