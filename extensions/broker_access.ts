/**
 * This file decides which exchanges and queues of the broker a service may use.
 *
 * The main thread holds the connection to the broker, so it alone can refuse a service what the broker's user may do.
 * Without settings, a service may publish anywhere, and consume everything but requests, replies and Enoki's own
 * queues: these belong to others.
 */
import { ConfigurationError } from "../runtime/message/errors.ts";
import type { Request } from "../runtime/message/messenger.ts";
import type { Message, Topology } from "../runtime/message/transport.ts";
import type { BrokerNames } from "../runtime/serving/settings.ts";

/** Beginnings of the names of queues that belong to one service, or to Enoki. */
const OTHERS = ["rpc-", "rpc.reply-", "enoki."];

/** Beginning of the names of queues that instances of services make for themselves. They may be replied to. */
const MADE = "enoki.gen-";

/** Beginning of the names of exchanges where RabbitMQ shows the messages of others. */
const WATCHING_EXCHANGE = "amq.rabbitmq.";

/** Beginning of the names of Enoki's own exchanges. */
const OWN_EXCHANGE = "enoki.";

/** Headers with which a sender names more routing keys of one message. */
const COPY_HEADERS = ["CC", "BCC"] as const;

/** The exchanges and queues that one service may use. */
export class BrokerAccess {
  readonly #service: string;
  readonly #publish: readonly Pattern[] | undefined;
  readonly #consume: readonly Pattern[] | undefined;

  /** @param names The names that the operator allows. */
  constructor(service: string, names: BrokerNames | undefined) {
    this.#service = service;
    this.#publish = names?.publish?.map(patternOf);
    this.#consume = names?.consume?.map(patternOf);
  }

  /** Whether the service may not publish everywhere. */
  get limitsPublishing(): boolean {
    return this.#publish !== undefined;
  }

  /** @throws {ConfigurationError} If the service may not publish to where the message goes. */
  requireMessage({ exchange, routingKey, properties: { headers } }: Message): void {
    if (exchange !== "") return this.#requirePublish(exchange, `exchange "${exchange}"`);
    this.#requirePublish(routingKey, `queue "${routingKey}"`);
    for (const header of COPY_HEADERS) {
      const copies = headers?.[header];
      // The broker refuses a header of another shape.
      if (!Array.isArray(copies)) continue;
      for (const queue of copies) this.#requirePublish(String(queue), `queue "${queue}"`);
    }
  }

  /**
   * Refuses a reply that would go where its service may not publish, or to a queue that belongs to others: it is not
   * the service that chooses the queue, but whoever has sent the message.
   *
   * @throws {ConfigurationError} If the service may not send the reply.
   */
  requireReply({ routingKey: queue }: Message): void {
    const isOthers = OTHERS.some((prefix) => queue.startsWith(prefix)) && !queue.startsWith(MADE);
    if (this.#publish === undefined ? !isOthers : matches(this.#publish, queue)) return;
    this.#refuse(`reply to queue "${queue}"`, "publish", queue);
  }

  /** @throws {ConfigurationError} If the service may not call the other service. */
  requireRequest({ service, method }: Pick<Request, "service" | "method">): void {
    // The queue's binding takes each method of one word, so the last word alone is the method.
    const address = `${service}.${method}`;
    const called = address.slice(0, address.lastIndexOf("."));
    this.#requirePublish(`rpc-${called}`, `queue "rpc-${called}", which the call of a service needs`);
  }

  /** @throws {ConfigurationError} If the service may not consume the queue. */
  requireQueue(queue: string): void {
    const isOthers = queue !== `rpc-${this.#service}` && OTHERS.some((prefix) => queue.startsWith(prefix));
    this.#requireConsume(queue, `consume queue "${queue}"`, isOthers);
  }

  /**
   * @param topology What is declared. The empty name stands for a queue that an instance of the service makes for
   * itself.
   * @param rpcExchange Name of the exchange that requests go through.
   * @throws {ConfigurationError} If the topology leads messages from or to where the service may not.
   */
  requireTopology({ exchanges = [], queues = [], bindings = [] }: Topology, rpcExchange: string): void {
    for (const { exchange, routingKey } of bindings) {
      const isOthers = exchange.startsWith(WATCHING_EXCHANGE) || exchange.startsWith(OWN_EXCHANGE) ||
        (exchange === rpcExchange && !this.#isOwnRequest(routingKey));
      this.#requireConsume(exchange, `bind a queue to exchange "${exchange}"`, isOthers);
    }
    if (this.#publish === undefined) return;
    for (const { queue } of bindings) {
      // The empty name is that of a queue of the service's own.
      if (queue !== "" && !matches(this.#consume, queue)) this.#requirePublish(queue, `queue "${queue}"`);
    }
    for (const { arguments: table } of queues) {
      const exchange = table?.["x-dead-letter-exchange"];
      if (exchange === undefined) continue;
      const name = String(exchange === "" ? table!["x-dead-letter-routing-key"] : exchange);
      this.#requirePublish(name, `"${name}", where a queue would send dead letters`);
    }
    for (const { arguments: table } of exchanges) {
      const name = table?.["alternate-exchange"];
      if (name !== undefined) this.#requirePublish(String(name), `exchange "${name}"`);
    }
  }

  /** @throws {ConfigurationError} If the service may not have messages of the exchange. */
  requireSource(exchange: string): void {
    this.#requireConsume(exchange, `bind a queue to exchange "${exchange}"`, false);
  }

  /** Whether requests with this routing key, or pattern of it, all are for the service itself. */
  #isOwnRequest(routingKey: string): boolean {
    const prefix = `${this.#service}.`;
    return routingKey.startsWith(prefix) && !/[.#]/.test(routingKey.slice(prefix.length));
  }

  #requirePublish(name: string, place: string): void {
    if (this.#publish === undefined || matches(this.#publish, name)) return;
    this.#refuse(`publish to ${place}`, "publish", name);
  }

  #requireConsume(name: string, action: string, isOthers: boolean): void {
    if (this.#consume === undefined ? !isOthers : matches(this.#consume, name)) return;
    this.#refuse(action, "consume", name);
  }

  #refuse(action: string, key: "publish" | "consume", name: string): never {
    const where = `services.${this.#service}.broker.${key}`;
    const allowed = (key === "publish" ? this.#publish : this.#consume) !== undefined
      ? `config key "${where}" does not allow it`
      : "it belongs to others";
    throw new ConfigurationError(
      `Cannot ${action} in service "${this.#service}": ${allowed}. Add "${name}" to ${where} if it may`,
    );
  }
}

/** A pattern, cut at its asterisks. */
type Pattern = readonly string[];

function patternOf(pattern: string): Pattern {
  return pattern.split("*");
}

function matches(patterns: readonly Pattern[] | undefined, name: string): boolean {
  return patterns?.some((pattern) => fits(pattern, name)) ?? false;
}

/** Says whether a name has the parts of a pattern, in their order. Its time is linear: it takes the first places. */
function fits(parts: Pattern, name: string): boolean {
  const first = parts[0]!;
  if (parts.length === 1) return name === first;
  const last = parts.at(-1)!;
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}
