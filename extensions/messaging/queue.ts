import { ageText } from "../../runtime/waiting/age.ts";
import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import type {
  BindingDeclaration,
  ExchangeDeclaration,
  FieldTable,
  FieldValue,
  QueueDeclaration,
  Topology,
} from "../../runtime/message/transport.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import type { Exchange } from "./exchange.ts";
import { checkQueueType, plainOffset, type QueueOffset, type QueueType } from "./queue_type.ts";

/** A route from an exchange to the queue. */
export interface QueueBinding {
  /** An exchange, or the name of an exchange that somebody else declares. @default {the queue's exchange} */
  readonly exchange?: Exchange | string;
  /**
   * Routing key. For an exchange of type `topic`, it is a pattern: `*` stands for one word, `#` for any
   * number of words.
   *
   * @default {""}
   */
  readonly routingKey?: string;
  /** Headers that an exchange of type `headers` compares. `x-match` says if `all` or `any` must be equal. */
  readonly arguments?: FieldTable;
}

/** Options of {@linkcode queue}. */
export interface QueueOptions {
  /**
   * How the broker keeps the queue. What a type cannot do is refused.
   *
   * @default {what the configuration's `queue_type` says, else what the broker takes: `classic`}
   */
  readonly type?: QueueType;
  /** An exchange to bind to, or the name of an exchange that somebody else declares. @default {not bound} */
  readonly exchange?: Exchange | string;
  /** Routing key of the binding to `exchange`. @default {""} */
  readonly routingKey?: string;
  /** Several bindings, instead of `routingKey`. */
  readonly bindings?: readonly QueueBinding[];
  /** Whether the queue survives a restart of the broker, with its persistent messages. @default {true} */
  readonly durable?: boolean;
  /** Whether only this process may use the queue, which is deleted with the connection. @default {false} */
  readonly exclusive?: boolean;
  /**
   * Whether the broker deletes the queue when its last consumer goes.
   *
   * @default {false, and true for `exclusive`}
   */
  readonly autoDelete?: boolean;
  /** Number of messages that may wait. Beyond it, the oldest messages are dropped. @default {no limit} */
  readonly maxLength?: number;
  /** Bytes that all messages may have together. Beyond it, the oldest are dropped. @default {no limit} */
  readonly maxBytes?: number;
  /** Milliseconds that a message may wait. @default {no limit} */
  readonly messageTtl?: Duration;
  /** Milliseconds without consumers after which the queue is deleted. @default {no limit} */
  readonly expires?: Duration;
  /**
   * Highest priority that has an effect, up to 255. Each priority costs the broker memory.
   *
   * @default {none}
   */
  readonly maxPriority?: number;
  /**
   * Number of times that a quorum queue offers a message again. After that, it is dropped or dead-lettered.
   *
   * @default {no limit, and 20 from RabbitMQ 4.0 on}
   */
  readonly deliveryLimit?: number;
  /** How long a stream keeps its records, such as `"7d"`, or `"7D"` as RabbitMQ writes it. @default {no limit} */
  readonly maxAge?: Duration | string;
  /**
   * Bytes of each file of a stream. A stream drops whole files, so that the last file always stays.
   *
   * @default {what the broker says: 500 MB}
   */
  readonly maxSegmentSize?: number;
  /** Where consumers of a stream begin that do not say so themselves. @default {"next"} */
  readonly offset?: QueueOffset;
  /** Exchange that dropped messages go to, or its name. The empty name is the default exchange. */
  readonly deadLetterExchange?: Exchange | string;
  /** Routing key of dropped messages. @default {their own} */
  readonly deadLetterRoutingKey?: string;
  /** More arguments, such as `x-single-active-consumer`. The options above win over them. @default {{}} */
  readonly arguments?: FieldTable;
}

const OPTIONS: OptionNames<QueueOptions> = {
  exchange: true,
  routingKey: true,
  bindings: true,
  maxLength: true,
  maxBytes: true,
  messageTtl: true,
  maxPriority: true,
  deadLetterExchange: true,
  deadLetterRoutingKey: true,
  arguments: true,
  type: true,
  durable: true,
  exclusive: true,
  autoDelete: true,
  expires: true,
  deliveryLimit: true,
  maxAge: true,
  maxSegmentSize: true,
  offset: true,
};

/** A queue with everything that must be declared for it, as plain data. */
export interface Queue {
  /** Name of the queue at the broker. */
  readonly name: string;
  /** What is declared before the queue is used: the queue, its exchanges and its bindings. */
  readonly topology: Topology;
  /** Where consumers of a stream begin. */
  readonly offset?: QueueOffset;
}

/**
 * A queue without a name, as plain data: each instance of a service that uses it has one of its own.
 *
 * The instance makes its name when it starts. The handlers read it as `message.queue`, or with
 * {@linkcode queueName}.
 */
export interface UnnamedQueue {
  /** Number that tells it from the others of the module that are declared alike. */
  readonly ordinal: number;
  /** What must be declared for it. The empty name stands for its own. */
  readonly topology: Topology;
}

/** Options of a {@linkcode queue} without a name, which is exclusive and goes with the connection. */
export type UnnamedQueueOptions = Pick<
  QueueOptions,
  | "exchange"
  | "routingKey"
  | "bindings"
  | "maxLength"
  | "maxBytes"
  | "messageTtl"
  | "maxPriority"
  | "deadLetterExchange"
  | "deadLetterRoutingKey"
  | "arguments"
>;

/** Numbers of queues without a name that have been declared alike, by what is declared. */
const ordinals = new Map<string, number>();

/**
 * Describes a queue and its bindings, with kombu's defaults. The services that use it declare it.
 *
 * @throws {TypeError} If the name is empty, if a binding has no exchange, or if both `bindings` and
 * `routingKey` are given.
 * @throws {TypeError} If the type of the queue cannot do what another option asks for, or an option is not known.
 * @throws {RangeError} If a number among the options is out of its range.
 */
export function queue(name: string, options?: QueueOptions): Queue;
/**
 * Describes a queue without a name, of which each instance of a service makes one of its own.
 *
 * Only that instance may use the queue, which goes with its connection. Entrypoints with the same object share the
 * queue. It is AMQP's queue with an empty name, and kombu's `Queue(exclusive=True)`.
 *
 * @example
 * ```ts
 * import { exchange, queue } from "@enoki/enoki";
 *
 * const mine = queue({ exchange: exchange("logs", { type: "fanout" }) });
 * ```
 */
export function queue(options?: UnnamedQueueOptions): UnnamedQueue;
export function queue(
  nameOrOptions: string | UnnamedQueueOptions = {},
  options: QueueOptions = {},
): Queue | UnnamedQueue {
  if (typeof nameOrOptions === "string") return namedQueue(nameOrOptions, options);
  requireKnown("Cannot declare a queue without a name", "it", nameOrOptions, OPTIONS);
  const topology = queueTopology("", { ...nameOrOptions, durable: false, exclusive: true });
  const alike = JSON.stringify(topology);
  const ordinal = ordinals.get(alike) ?? 0;
  ordinals.set(alike, ordinal + 1);
  return { ordinal, topology };
}

function namedQueue(name: string, options: QueueOptions): Queue {
  if (name === "") {
    throw new TypeError(
      "Cannot declare a queue with an empty name: leave the name out, as in queue({ exchange })",
    );
  }
  requireKnown(`Cannot declare queue "${name}"`, "it", options, OPTIONS);
  const { offset } = options;
  return { name, ...(offset !== undefined && { offset }), topology: queueTopology(name, options) };
}

function queueTopology(name: string, options: QueueOptions): Topology {
  const { durable = true, exclusive = false, autoDelete = false, deadLetterExchange } = options;
  const bindings = bindingsOf(name, options);
  const exchanges = [...bindings.map(({ exchange }) => exchange), deadLetterExchange]
    .filter((exchange) => exchange !== undefined && typeof exchange !== "string");
  const declaration: Required<Omit<QueueDeclaration, "replicated">> = {
    name,
    durable,
    exclusive,
    autoDelete: autoDelete || exclusive,
    arguments: queueArguments(name, options),
  };
  checkQueueType(declaration);
  if (options.offset !== undefined) {
    if (declaration.arguments["x-queue-type"] !== "stream") {
      throw new TypeError(`Cannot declare queue "${name}": only a stream has an offset. Use type "stream"`);
    }
    plainOffset(name, options.offset);
  }
  return {
    exchanges: declarable(exchanges),
    queues: [declaration],
    bindings: bindings.map(({ exchange, routingKey = "", arguments: table }): BindingDeclaration => ({
      queue: name,
      exchange: nameOf(exchange),
      routingKey,
      ...(table && { arguments: table }),
    })),
  };
}

/** Returns the name of an exchange, which may be given as an object or as a name. */
export function nameOf(exchange: Exchange | string): string {
  return typeof exchange === "string" ? exchange : exchange.name;
}

/** Leaves out repeated exchanges, and the broker's own exchanges, which nobody may declare. */
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

/** Brokers count whole milliseconds. A text names its unit, so a fraction of one is no mistake there. */
function wholeMilliseconds(given: Duration): number {
  return typeof given === "number" ? given : Math.round(millisecondsOf(given));
}

function queueArguments(name: string, options: QueueOptions): FieldTable {
  const { type, maxAge, deadLetterExchange, deadLetterRoutingKey } = options;
  const counts = {
    "x-max-length": [options.maxLength, 0, Infinity],
    "x-max-length-bytes": [options.maxBytes, 0, Infinity],
    "x-message-ttl": [options.messageTtl, 0, Infinity],
    "x-expires": [options.expires, 1, Infinity],
    "x-max-priority": [options.maxPriority, 1, 255],
    "x-delivery-limit": [options.deliveryLimit, 0, Infinity],
    "x-stream-max-segment-size-bytes": [options.maxSegmentSize, 1, 3_000_000_000],
  } as const;
  const table: Record<string, FieldValue> = { ...options.arguments };
  for (const [argument, [written, least, most]] of Object.entries(counts)) {
    if (written === undefined) continue;
    const isTime = argument === "x-message-ttl" || argument === "x-expires";
    const value = isTime ? wholeMilliseconds(written) : written;
    if (!(typeof value === "number" && Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(
        `Cannot declare queue "${name}": ${argument} must be an integer of at least ${least}` +
          `${most === Infinity ? "" : ` and at most ${most}`}, ${isTime ? `${OR_TEXT}, ` : ""}got ${
            shownDuration(written)
          }`,
      );
    }
    table[argument] = value;
  }
  if (type !== undefined) table["x-queue-type"] = type;
  if (maxAge !== undefined) table["x-max-age"] = ageText(maxAge);
  if (deadLetterExchange !== undefined) table["x-dead-letter-exchange"] = nameOf(deadLetterExchange);
  if (deadLetterRoutingKey !== undefined) table["x-dead-letter-routing-key"] = deadLetterRoutingKey;
  return table;
}
