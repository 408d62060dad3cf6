import { createHash } from "node:crypto";

/** Largest number of bytes of the name of a queue in AMQP 0-9-1. */
const NAME_LIMIT = 255;

/**
 * Makes the name of an Enoki queue that belongs to another queue: the prefix and that queue's name.
 *
 * If the name would be too long, a hash replaces the part that does not fit. The result is the same wherever
 * it is made.
 */
export function ownQueueName(prefix: string, queue: string): string {
  const name = `${prefix}${queue}`;
  const bytes = new TextEncoder().encode(name);
  if (bytes.length <= NAME_LIMIT) return name;
  const hash = `~${createHash("sha256").update(queue).digest("hex").slice(0, 32)}`;
  // In stream mode, the decoder leaves out a character that the cut has split.
  const fitting = new TextDecoder().decode(bytes.subarray(0, NAME_LIMIT - hash.length), { stream: true });
  return `${fitting}${hash}`;
}
