import type { FieldTable, FieldValue, QueueDeclaration } from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { ageOf } from "../../runtime/waiting/age.ts";
import type { DeadLetterRoute } from "./dead_letter.ts";

/** The arguments of a queue ask for this. All durations are in milliseconds. */
export interface QueueArguments {
  /** The queue expires when nobody uses it for this long. @default {Infinity} */
  readonly lease: number;
  /** A message expires when it waits for this long. @default {Infinity} */
  readonly messageLifetime: number;
  /** At most this many messages may wait. @default {Infinity} */
  readonly maxLength: number;
  /** The queue has no priorities if this is 0. @default {0} */
  readonly maxPriority: number;
  /** A message that consumers give back more often leaves the queue. @default {Infinity} */
  readonly deliveryLimit: number;
  readonly deadLetterRoute: DeadLetterRoute | undefined;
}

// A second declaration must repeat these arguments
const COMPARED = [
  "x-expires",
  "x-message-ttl",
  "x-max-length",
  "x-max-priority",
  "x-dead-letter-exchange",
  "x-dead-letter-routing-key",
  "x-queue-type",
  "x-max-length-bytes",
  "x-max-age",
  "x-delivery-limit",
] as const;

const UNSUPPORTED = [
  "x-single-active-consumer",
  "x-dead-letter-strategy",
];

/** These limit a stream, and nothing else here. */
const STREAM_LIMITS: readonly string[] = ["x-max-length-bytes", "x-max-age"];

const TYPES: readonly FieldValue[] = ["classic", "quorum", "stream"];

/**
 * Reads the arguments of a queue, and ignores those that RabbitMQ does not know either.
 *
 * @throws {BrokerError} If a value is not valid, or asks for something that only RabbitMQ can do.
 */
export function readQueueArguments(
  { name, arguments: table = {} }: QueueDeclaration,
): QueueArguments {
  const refuse = (state: string): never => {
    throw new BrokerError(`Cannot declare queue "${name}": ${state}`);
  };
  const count = (key: string, least: number, fallback: number): number => {
    const value = table[key];
    if (value === undefined) return fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
    return refuse(`argument ${key} is ${JSON.stringify(value)}, not an integer of at least ${least}`);
  };
  const text = (key: string): string | undefined => {
    const value = table[key];
    if (value === undefined || typeof value === "string") return value;
    return refuse(`argument ${key} is ${JSON.stringify(value)}, not a string`);
  };
  const type = table["x-queue-type"] ?? "classic";
  for (const key of type === "stream" ? UNSUPPORTED : [...UNSUPPORTED, ...STREAM_LIMITS]) {
    if (table[key] !== undefined) refuse(`the embedded broker has no ${key}. Use RabbitMQ, or leave it out`);
  }
  if (type !== "quorum" && table["x-delivery-limit"] !== undefined) {
    refuse("only a quorum queue has an x-delivery-limit. Leave it out");
  }
  if (!TYPES.includes(type)) refuse(`type ${JSON.stringify(type)} is none of ${TYPES.join(", ")}`);
  if ((table["x-overflow"] ?? "drop-head") !== "drop-head") {
    refuse("the embedded broker has only queues that drop their head. Use RabbitMQ for others");
  }
  const maxPriority = count("x-max-priority", 0, 0);
  if (maxPriority > 255) refuse(`argument x-max-priority is ${maxPriority}, but it must not exceed 255`);
  return {
    lease: count("x-expires", 1, Infinity),
    messageLifetime: count("x-message-ttl", 0, Infinity),
    maxLength: count("x-max-length", 0, Infinity),
    maxPriority,
    deliveryLimit: count("x-delivery-limit", 0, Infinity),
    deadLetterRoute: readDeadLetterRoute(
      text("x-dead-letter-exchange"),
      text("x-dead-letter-routing-key"),
      refuse,
    ),
  };
}

/** The limits of a stream. */
export interface StreamLimits {
  /** Bytes of all bodies. @default {Infinity} */
  readonly bytes: number;
  /** Milliseconds that a record is kept. @default {Infinity} */
  readonly age: number;
}

/**
 * Reads the limits of a stream.
 *
 * @throws {BrokerError} If a value is not valid, or a stream cannot have what the declaration asks for.
 */
export function readStreamLimits(
  { name, durable = true, exclusive = false, autoDelete = false, arguments: table = {} }: QueueDeclaration,
): StreamLimits {
  const refuse = (state: string): never => {
    throw new BrokerError(`Cannot declare stream "${name}": ${state}`);
  };
  if (!durable || exclusive || autoDelete) {
    refuse("a stream is durable and neither exclusive nor deletes itself. Leave these options out");
  }
  for (const key of Object.keys(table)) {
    if (COMPARED.some((each) => each === key) && key !== "x-queue-type" && !STREAM_LIMITS.includes(key)) {
      refuse(`a stream has no ${key}. Leave it out`);
    }
  }
  const { "x-max-length-bytes": bytes = Infinity, "x-max-age": age } = table;
  if (typeof bytes !== "number" || !(bytes >= 0)) {
    return refuse(`argument x-max-length-bytes is ${JSON.stringify(bytes)}, not a number of bytes`);
  }
  const milliseconds = age === undefined ? Infinity : ageOf(age);
  if (milliseconds === undefined) return refuse(`argument x-max-age is ${JSON.stringify(age)}, not an age`);
  return { bytes, age: milliseconds };
}

/** Returns the arguments that a second declaration of the queue must repeat. */
export function comparedArguments(table: FieldTable = {}): FieldTable {
  return Object.fromEntries(
    COMPARED.flatMap((key) => {
      const value = key === "x-queue-type" && table[key] === "classic" ? undefined : table[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function readDeadLetterRoute(
  exchange: string | undefined,
  routingKey: string | undefined,
  refuse: (state: string) => never,
): DeadLetterRoute | undefined {
  if (exchange === undefined) {
    return routingKey === undefined
      ? undefined
      : refuse("argument x-dead-letter-routing-key needs x-dead-letter-exchange");
  }
  return routingKey === undefined ? { exchange } : { exchange, routingKey };
}
