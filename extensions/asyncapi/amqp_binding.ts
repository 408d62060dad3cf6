/** How AsyncAPI says what an exchange and a queue of AMQP are. */
import type { PlainRecord } from "../../runtime/message/plain.ts";
import type {
  BindingDeclaration,
  ExchangeDeclaration,
  QueueDeclaration,
} from "../../runtime/message/transport.ts";

const VERSION = "0.3.0";

/** The types of exchanges that AsyncAPI knows. */
const EXCHANGE_TYPES: readonly string[] = ["topic", "direct", "fanout", "headers"];

/** A place in the broker: an exchange, perhaps with a queue that is bound to it, or a queue. */
export interface BrokerPlace {
  readonly exchange?: ExchangeDeclaration | undefined;
  readonly queue?: QueueDeclaration | undefined;
  /** What the queue is bound to, if the channel is the queue. */
  readonly bindings?: readonly BindingDeclaration[];
}

/**
 * Describes the place of a channel. AsyncAPI lets a channel be either an exchange or a queue, so what belongs to it
 * beside that stands in extensions of the binding.
 */
export function channelBinding({ exchange, queue, bindings = [] }: BrokerPlace): PlainRecord {
  return {
    amqp: {
      is: exchange === undefined ? "queue" : "routingKey",
      ...(exchange && {
        exchange: {
          name: exchange.name,
          ...(EXCHANGE_TYPES.includes(exchange.type) && { type: exchange.type }),
          ...(exchange.name === "" && { type: "default" }),
          durable: exchange.durable ?? true,
          autoDelete: exchange.autoDelete ?? false,
        },
      }),
      ...(queue && {
        [exchange === undefined ? "queue" : "x-queue"]: {
          name: queue.name,
          durable: queue.durable ?? true,
          exclusive: queue.exclusive ?? false,
          autoDelete: queue.autoDelete ?? false,
        },
      }),
      ...(bindings.length > 0 && {
        "x-bindings": bindings.map(({ exchange, routingKey }) => ({ exchange, routingKey })),
      }),
      bindingVersion: VERSION,
    },
  };
}

/** Describes how an operation takes messages off a queue. */
export function receivingBinding(ack: boolean): PlainRecord {
  return { amqp: { ack, bindingVersion: VERSION } };
}
