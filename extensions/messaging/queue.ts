import type {
  BindingDeclaration,
  ExchangeDeclaration,
  FieldTable,
  FieldValue,
  QueueDeclaration,
  Topology,
} from "../../runtime/message/transport.ts";
import type { Exchange } from "./exchange.ts";

/** A route from an exchange to the queue. */
export interface QueueBinding {
  /** An exchange, or the name of one that others declare. @default {the queue's exchange} */
  readonly exchange?: Exchange | string;
  /** A pattern where the exchange is of type `topic`: `*` stands for one word, `#` for any number. @default {""} */
  readonly routingKey?: string;
  /** What an exchange of type `headers` compares; `x-match` says whether `all` or `any` must be equal. */
  readonly arguments?: FieldTable;
}

/** Options of {@linkcode queue}. */
export interface QueueOptions {
  /** An exchange to bind to, or the name of one that others declare. @default {not bound} */
  readonly exchange?: Exchange | string;
  /** What the binding to `exchange` says. @default {""} */
  readonly routingKey?: string;
  /** Several bindings, in place of `routingKey`. */
  readonly bindings?: readonly QueueBinding[];
  /** Whether it survives a restart of the broker; its messages do if they are persistent. @default {true} */
  readonly durable?: boolean;
  /** Whether only this process may use it, and it goes with the connection. @default {false} */
  readonly exclusive?: boolean;
  /** Whether it is deleted when its last consumer goes. @default {false, and true for `exclusive`} */
  readonly autoDelete?: boolean;
  /** Messages that may wait; the oldest go first. @default {no limit} */
  readonly maxLength?: number;
  /** Milliseconds that a message may wait. @default {no limit} */
  readonly messageTtl?: number;
  /** Milliseconds without consumers after which the queue is deleted. @default {no limit} */
  readonly expires?: number;
  /** Highest priority that makes a difference, up to 255; each costs the broker memory. @default {none does} */
  readonly maxPriority?: number;
  /** Where dropped messages go: an exchange, or a name; the empty one is the default exchange. */
  readonly deadLetterExchange?: Exchange | string;
  /** Routing key of dropped messages. @default {their own} */
  readonly deadLetterRoutingKey?: string;
  /** More arguments, such as `x-queue-type`; the options above win over them. @default {{}} */
  readonly arguments?: FieldTable;
}

/** A queue with all that must be declared for it; plain data. */
export interface Queue {
  readonly name: string;
  readonly topology: Topology;
}

/**
 * Describes a queue and how it is bound, with kombu's defaults. It is declared where it is used.
 *
 * @throws {TypeError} If the name is empty, a binding has no exchange, or `bindings` and `routingKey` are given both.
 * @throws {RangeError} If a number makes no sense.
 */
export function queue(name: string, options: QueueOptions = {}): Queue {
  if (name === "") throw new TypeError("Cannot declare a queue without a name: give it one");
  const { durable = true, exclusive = false, autoDelete = false, deadLetterExchange } = options;
  const bindings = bindingsOf(name, options);
  const exchanges = [...bindings.map(({ exchange }) => exchange), deadLetterExchange]
    .filter((exchange) => exchange !== undefined && typeof exchange !== "string");
  const declaration: QueueDeclaration = {
    name,
    durable,
    exclusive,
    autoDelete: autoDelete || exclusive,
    arguments: queueArguments(name, options),
  };
  return {
    name,
    topology: {
      exchanges: declarable(exchanges),
      queues: [declaration],
      bindings: bindings.map(({ exchange, routingKey = "", arguments: table }): BindingDeclaration => ({
        queue: name,
        exchange: nameOf(exchange),
        routingKey,
        ...(table && { arguments: table }),
      })),
    },
  };
}

/** The name of an exchange, however it was given. */
export function nameOf(exchange: Exchange | string): string {
  return typeof exchange === "string" ? exchange : exchange.name;
}

/** Exchanges without repetitions, and without the broker's own, which nobody may declare. */
export function declarable(exchanges: readonly Exchange[]): readonly ExchangeDeclaration[] {
  return [...new Set(exchanges)].filter(({ name }) => !name.startsWith("amq."));
}

function bindingsOf(
  name: string,
  { exchange, routingKey, bindings }: QueueOptions,
): readonly (QueueBinding & { readonly exchange: Exchange | string })[] {
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot declare queue "${name}": ${reason}`);
  };
  if (bindings !== undefined && routingKey !== undefined) {
    refuse("it has both routingKey and bindings. Put the routing key into one of the bindings");
  }
  if (bindings === undefined && exchange === undefined) {
    return routingKey === undefined ? [] : refuse("a routing key needs an exchange");
  }
  return (bindings ?? [{ ...(routingKey !== undefined && { routingKey }) }]).map((binding) => ({
    ...binding,
    exchange: binding.exchange ?? exchange ?? refuse("a binding needs an exchange"),
  }));
}

function queueArguments(name: string, options: QueueOptions): FieldTable {
  const { deadLetterExchange, deadLetterRoutingKey } = options;
  const counts = {
    "x-max-length": [options.maxLength, 0, Infinity],
    "x-message-ttl": [options.messageTtl, 0, Infinity],
    "x-expires": [options.expires, 1, Infinity],
    "x-max-priority": [options.maxPriority, 1, 255],
  } as const;
  const table: Record<string, FieldValue> = { ...options.arguments };
  for (const [argument, [value, least, most]] of Object.entries(counts)) {
    if (value === undefined) continue;
    if (!(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(
        `Cannot declare queue "${name}": ${argument} must be an integer of at least ${least}` +
          `${most === Infinity ? "" : ` and at most ${most}`}, got ${value}`,
      );
    }
    table[argument] = value;
  }
  if (deadLetterExchange !== undefined) table["x-dead-letter-exchange"] = nameOf(deadLetterExchange);
  if (deadLetterRoutingKey !== undefined) table["x-dead-letter-routing-key"] = deadLetterRoutingKey;
  return table;
}
