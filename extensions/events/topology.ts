/** Names and flags of Nameko's event objects in the broker (Nameko 2.14). The queues carry no arguments, ever. */
import type { QueueDeclaration, Topology } from "../../runtime/message/transport.ts";
import type { EventDelivery } from "./event.ts";
import type { EventSettings } from "./settings.ts";

/** What the queue of a handler follows from. */
export interface EventHandlerPlace {
  /** The service that dispatches. */
  readonly source: string;
  readonly type: string;
  readonly delivery: EventDelivery;
  readonly reliable: boolean;
  /** The service that handles, and the method. */
  readonly service: string;
  readonly method: string;
  /** Of the instance; used for `broadcast` only. */
  readonly broadcastId: string;
}

/** The exchange that a service's events go through. */
export function eventExchangeOf(source: string): string {
  return `${source}.events`;
}

/** What both sides declare: the exchange, unless others see to it. */
export function eventExchange(
  source: string,
  { declareExchanges, autoDeleteExchanges }: EventSettings,
): Topology {
  if (!declareExchanges) return {};
  const name = eventExchangeOf(source);
  return { exchanges: [{ name, type: "topic", ...(autoDeleteExchanges && { autoDelete: true }) }] };
}

/** The queue of a handler. */
export function eventQueue(
  { source, type, delivery, reliable, service, method, broadcastId }: EventHandlerPlace,
): QueueDeclaration {
  const name = `evt-${source}-${type}`;
  const temporary = reliable ? {} : { autoDelete: true };
  switch (delivery) {
    case "pool":
      return { name: `${name}--${service}.${method}`, ...temporary };
    case "singleton":
      return { name, ...temporary };
    case "broadcast":
      return {
        name: `${name}--${service}.${method}-${broadcastId}`,
        ...temporary,
        ...(!reliable && { exclusive: true }),
      };
  }
}
