import { createHash } from "node:crypto";

/** Bytes that the name of a queue may have in AMQP 0-9-1. */
const NAME_LIMIT = 255;

/**
 * Name of a queue of our own that belongs to another queue: the prefix and that queue's name.
 *
 * One that would be too long ends in a hash in place of what does not fit; it is the same wherever it is made.
 */
export function ownQueueName(prefix: string, queue: string): string {
  const name = `${prefix}${queue}`;
  const bytes = new TextEncoder().encode(name);
  if (bytes.length <= NAME_LIMIT) return name;
  const hash = `~${createHash("sha256").update(queue).digest("hex").slice(0, 32)}`;
  // As a stream, the decoder leaves out a character that is cut.
  const fitting = new TextDecoder().decode(bytes.subarray(0, NAME_LIMIT - hash.length), { stream: true });
  return `${fitting}${hash}`;
}
