/** What the types of RabbitMQ's queues can and cannot do, and where a consumer of a stream begins. */
import type { Plain } from "../../runtime/message/plain.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { ageOf, ageText } from "../../runtime/waiting/age.ts";

/**
 * How the broker keeps a queue.
 *
 * - `classic` has all features, and lives on one node of a cluster.
 * - `quorum` is replicated to several nodes. The brokers `memory:` and `local:` treat it as `classic`.
 * - `stream` is a log: reading takes no record away, and each consumer reads from where it wants to.
 */
export type QueueType = "classic" | "quorum" | "stream";

/**
 * Where a consumer of a stream begins: at the `first` record that is kept, at the `last` records, at the `next`
 * record that somebody publishes, at a record by its number, at a time, or at an age such as `"1h"`.
 *
 * The units of an age are `s`, `m`, `h`, `D` (days), `M` (30 days) and `Y` (365 days). A broker keeps records in
 * blocks and finds a block, so that `last`, a time and an age may give some earlier records, too.
 */
export type QueueOffset = "first" | "last" | "next" | number | Date | (string & Record<never, never>);

/** What {@linkcode checkQueueType} looks at. */
export interface TypedQueue {
  readonly name: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

/** Names of the options that set an argument, for messages. */
const OPTIONS: Readonly<Record<string, string>> = {
  "x-max-length": "maxLength",
  "x-max-length-bytes": "maxBytes",
  "x-message-ttl": "messageTtl",
  "x-expires": "expires",
  "x-max-priority": "maxPriority",
  "x-dead-letter-exchange": "deadLetterExchange",
  "x-dead-letter-routing-key": "deadLetterRoutingKey",
  "x-delivery-limit": "deliveryLimit",
  "x-max-age": "maxAge",
  "x-stream-max-segment-size-bytes": "maxSegmentSize",
};

const STREAM_ONLY = ["x-max-age", "x-stream-max-segment-size-bytes"];

/** The arguments that RabbitMQ refuses for each type. */
const REFUSED: Readonly<Record<QueueType, readonly string[]>> = {
  classic: ["x-delivery-limit", ...STREAM_ONLY],
  quorum: ["x-max-priority", "x-queue-mode", ...STREAM_ONLY],
  stream: [
    "x-max-length",
    "x-message-ttl",
    "x-expires",
    "x-max-priority",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-delivery-limit",
    "x-single-active-consumer",
    "x-overflow",
    "x-queue-mode",
  ],
};

/**
 * Refuses what the type of a queue cannot do.
 *
 * @throws {TypeError} If the type is not known, or cannot do what the declaration asks for.
 */
export function checkQueueType({ name, durable, exclusive, autoDelete, arguments: table }: TypedQueue): void {
  const type = table["x-queue-type"] ?? "classic";
  const subject = name === "" ? "a queue without a name" : `queue "${name}"`;
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot declare ${subject}: ${reason}`);
  };
  if (!isQueueType(type)) {
    return refuse(`type ${JSON.stringify(type)} is not known. Use "classic", "quorum" or "stream"`);
  }
  if (type !== "classic") {
    if (name === "") refuse(`it goes with its connection, and type "${type}" stays. Give it a name`);
    const flags = { "durable: false": !durable, exclusive, autoDelete };
    for (const [flag, isSet] of Object.entries(flags)) {
      if (isSet) refuse(`type "${type}" has no ${flag}. Leave it out, or use type "classic"`);
    }
  }
  for (const argument of REFUSED[type]) {
    if (table[argument] === undefined) continue;
    const able = (["classic", "quorum", "stream"] as const).filter((each) =>
      !REFUSED[each].includes(argument)
    );
    const others = able.map((each) => `"${each}"`).join(" or ");
    refuse(`type "${type}" has no ${OPTIONS[argument] ?? argument}. Leave it out, or use type ${others}`);
  }
  const age = table["x-max-age"];
  if (age !== undefined && ageOf(age) === undefined) {
    refuse(`maxAge is ${JSON.stringify(age)}. Give it a number and a unit (s, m, h, D, M, Y), such as "7D"`);
  }
}

function isQueueType(type: unknown): type is QueueType {
  return typeof type === "string" && Object.hasOwn(REFUSED, type);
}

/**
 * Makes plain data of where a consumer begins, for the manifest. A date becomes `{ at: milliseconds }`.
 *
 * @throws {RangeError} If it is none of what {@linkcode QueueOffset} names.
 */
export function plainOffset(queue: string, start: QueueOffset): Plain {
  const isName = start === "first" || start === "last" || start === "next";
  if (isName) return start;
  const age = typeof start === "string" ? ageText(start) : undefined;
  if (ageOf(age) !== undefined) return age!;
  if (typeof start === "number" && Number.isSafeInteger(start) && start >= 0) return start;
  if (start instanceof Date && !Number.isNaN(start.getTime())) return { at: start.getTime() };
  throw new RangeError(
    `Cannot consume stream "${queue}": offset is ${
      start instanceof Date ? "no date" : JSON.stringify(start)
    }. ` +
      'Use "first", "last", "next", a number from 0 on, a Date, or an age such as "1h"',
  );
}
