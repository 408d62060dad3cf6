import { BrokerError } from "../../runtime/message/errors.ts";
import type { QueueDeclaration } from "../../runtime/message/transport.ts";
import { reasonOf, refusal } from "./refusal.ts";

/** Type of the queues that say nothing about their type. */
export type DefaultQueueType = "classic" | "quorum";

/** Arguments that RabbitMQ refuses for a quorum queue. */
const CLASSIC_ONLY = ["x-max-priority", "x-queue-mode", "x-queue-version"];

/** Gives a queue the default type, unless it has a type, or cannot be or need not be of that type. */
export function withDefaultType(queue: QueueDeclaration, type: DefaultQueueType): QueueDeclaration {
  const { durable = true, exclusive = false, autoDelete = false, replicated = true } = queue;
  if (type === "classic" || !replicated || !durable || exclusive || autoDelete) return queue;
  const table = queue.arguments ?? {};
  if (["x-queue-type", ...CLASSIC_ONLY].some((argument) => table[argument] !== undefined)) return queue;
  return { ...queue, arguments: { ...table, "x-queue-type": type } };
}

/**
 * Makes the error for a queue that the broker refuses to declare.
 *
 * @param wanted The queue as its owner describes it, without the default type.
 */
export function queueRefusal(wanted: QueueDeclaration, type: DefaultQueueType, cause: unknown): BrokerError {
  const { name, arguments: table = {} } = wanted;
  const reason = reasonOf(cause);
  const found = cause instanceof BrokerError ? null : OTHER_TYPE_REGEXP.exec(reason);
  if (found === null) {
    const wayOut = UNABLE_REGEXP.test(reason)
      ? 'Leave it out, or give the queue a type that has it, such as "classic"'
      : RESERVED_REGEXP.test(reason)
      ? "Choose another name, or none at all"
      : "Use the same properties everywhere, or delete it first";
    return refusal(`declare queue "${name}"`, cause, wayOut);
  }
  const [, current = "classic"] = found;
  const own = table["x-queue-type"];
  const keep = own !== undefined || current === "stream"
    ? `declare it with type "${current}"`
    : `keep its type with --define queue_type=${current}`;
  return new BrokerError(
    `Cannot declare queue "${name}" as a ${own ?? type} queue: it exists as a ${current} queue. ` +
      `Delete it when it is empty, or ${keep}`,
    { cause, state: "refused" },
  );
}

/** Matches RabbitMQ's refusal of another type, and takes the type that the queue has. None is `classic`. */
const OTHER_TYPE_REGEXP = /inequivalent arg 'x-queue-type'.* current is (?:none|(?:the value )?'(\w+)')/;

/** Matches RabbitMQ's refusal of what a type cannot do, which may be the default type of the vhost. */
const UNABLE_REGEXP = /invalid (?:arg|property) '/;

/** Matches RabbitMQ's refusal of a name that only it may give. */
const RESERVED_REGEXP = /reserved prefix/;
