/** Names and flags of Nameko's event exchanges and queues (Nameko 2.14). The queues never carry arguments. */
import type { ExchangeDeclaration, QueueDeclaration, Topology } from "../../runtime/message/transport.ts";
import type { EventSettings } from "./settings.ts";

/**
 * Receivers of an event: one instance of each service and method that handles it (`pool`), one handler in the
 * whole cluster (`singleton`), or every instance (`broadcast`).
 */
export type EventDelivery = "pool" | "singleton" | "broadcast";

/** Everything that determines the queue of a handler. */
export interface EventHandlerPlace {
  /** The service that dispatches the event. */
  readonly source: string;
  readonly type: string;
  readonly delivery: EventDelivery;
  readonly reliable: boolean;
  /** The service that handles the event. */
  readonly service: string;
  /** The method that handles the event. */
  readonly method: string;
  /** Id of the instance. Only `broadcast` handlers use it. */
  readonly broadcastId: string;
}

/** Returns the name of the exchange that the events of a service go through. */
export function eventExchangeOf(source: string): string {
  return `${source}.events`;
}

/** Returns the declaration of that exchange. */
export function eventExchangeDeclaration(source: string, autoDelete: boolean): ExchangeDeclaration {
  return { name: eventExchangeOf(source), type: "topic", ...(autoDelete && { autoDelete }) };
}

/** Returns what dispatchers and handlers declare: the exchange, unless somebody else must declare it. */
export function eventExchange(
  source: string,
  { declareExchanges, autoDeleteExchanges }: EventSettings,
): Topology {
  return declareExchanges ? { exchanges: [eventExchangeDeclaration(source, autoDeleteExchanges)] } : {};
}

/** Returns the queue of a handler. */
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
