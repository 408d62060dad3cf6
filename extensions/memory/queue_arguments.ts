import type { FieldTable, QueueDeclaration } from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import type { DeadLetterRoute } from "./dead_letter.ts";

/** What the arguments of a queue ask for. Durations are milliseconds. */
export interface QueueArguments {
  /** How long the queue may go unused. `Infinity` by default. */
  readonly lease: number;
  /** How long a message may wait. `Infinity` by default. */
  readonly messageLifetime: number;
  /** How many messages may wait. `Infinity` by default. */
  readonly maxLength: number;
  /** 0 where priorities do not matter. */
  readonly maxPriority: number;
  readonly deadLetterRoute: DeadLetterRoute | undefined;
}

// What a second declaration must repeat
const COMPARED = [
  "x-expires",
  "x-message-ttl",
  "x-max-length",
  "x-max-priority",
  "x-dead-letter-exchange",
  "x-dead-letter-routing-key",
] as const;

const UNSUPPORTED = [
  "x-max-length-bytes",
  "x-single-active-consumer",
  "x-delivery-limit",
  "x-dead-letter-strategy",
];

/**
 * Reads the arguments of a queue; those that RabbitMQ does not know either are passed over.
 *
 * @throws {BrokerError} If a value makes no sense, or asks for what only RabbitMQ can do.
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
  for (const key of UNSUPPORTED) {
    if (table[key] !== undefined) refuse(`the embedded broker has no ${key}. Use RabbitMQ, or leave it out`);
  }
  if (
    (table["x-overflow"] ?? "drop-head") !== "drop-head" || (table["x-queue-type"] ?? "classic") !== "classic"
  ) {
    refuse("the embedded broker has classic queues that drop their head only. Use RabbitMQ for others");
  }
  const maxPriority = count("x-max-priority", 0, 0);
  if (maxPriority > 255) refuse(`argument x-max-priority is ${maxPriority}, and 255 is the most`);
  return {
    lease: count("x-expires", 1, Infinity),
    messageLifetime: count("x-message-ttl", 0, Infinity),
    maxLength: count("x-max-length", 0, Infinity),
    maxPriority,
    deadLetterRoute: readDeadLetterRoute(
      text("x-dead-letter-exchange"),
      text("x-dead-letter-routing-key"),
      refuse,
    ),
  };
}

/** The arguments of a queue that count when it is declared again. */
export function comparedArguments(table: FieldTable = {}): FieldTable {
  return Object.fromEntries(
    COMPARED.flatMap((key) => table[key] === undefined ? [] : [[key, table[key]]]),
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
