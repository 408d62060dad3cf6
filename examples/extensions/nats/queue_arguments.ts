import { BrokerError } from "@enoki/enoki";
import type { FieldTable, QueueDeclaration } from "@enoki/enoki/hosting";

/** What the arguments of a queue ask for. All durations are in milliseconds. */
export interface QueueArguments {
  /** The queue expires when nobody uses it for this long. @default {no limit} */
  readonly lease?: number;
  /** A message expires when it waits for this long. @default {no limit} */
  readonly messageLifetime?: number;
  /** Where expired and rejected messages go. @default {they are dropped} */
  readonly deadLetterExchange?: string;
  /** Replaces the routing key of dead messages. @default {their own} */
  readonly deadLetterRoutingKey?: string;
}

/**
 * Reads the arguments of a queue. Everything that this transport lacks is refused.
 *
 * @throws {BrokerError} If an argument is not valid or not known.
 */
export function readQueueArguments({ name, arguments: table = {} }: QueueDeclaration): QueueArguments {
  const read: Record<string, number | string> = {};
  for (const [key, value] of Object.entries(table)) {
    if (key === "x-queue-type") {
      if (value === "classic") continue;
      throw new BrokerError(
        `Cannot declare queue "${name}": queues over NATS have no type ${
          JSON.stringify(value)
        }. Leave its type out`,
      );
    }
    const known = KNOWN[key];
    if (known === undefined) {
      throw new BrokerError(`Cannot declare queue "${name}": queues over NATS have no ${key}. Leave it out`);
    }
    if (!known.fits(value)) {
      throw new BrokerError(
        `Cannot declare queue "${name}": its ${key} is ${JSON.stringify(value)}. Give it ${known.expected}`,
      );
    }
    read[known.as] = value as number | string;
  }
  if (read["deadLetterRoutingKey"] !== undefined && read["deadLetterExchange"] === undefined) {
    throw new BrokerError(
      `Cannot declare queue "${name}": it has an x-dead-letter-routing-key. Give it an x-dead-letter-exchange, too`,
    );
  }
  return read;
}

/** Gives the expiration of a message in milliseconds; undefined if there is none, or none that can be read. */
export function lifetimeOf({ messageLifetime }: QueueArguments, expiration?: string): number | undefined {
  const own = expiration !== undefined && /^\d{1,10}$/.test(expiration) ? Number(expiration) : undefined;
  if (own === undefined) return messageLifetime;
  return messageLifetime === undefined ? own : Math.min(own, messageLifetime);
}

interface KnownArgument {
  readonly as: keyof QueueArguments;
  readonly expected: string;
  readonly fits: (value: FieldTable[string]) => boolean;
}

const count = (as: keyof QueueArguments, least: number): KnownArgument => ({
  as,
  expected: `an integer of at least ${least}`,
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= least,
});
const text = (as: keyof QueueArguments): KnownArgument => ({
  as,
  expected: "a text",
  fits: (value) => typeof value === "string",
});

const KNOWN: Readonly<Record<string, KnownArgument>> = {
  "x-expires": count("lease", 1),
  "x-message-ttl": count("messageLifetime", 0),
  "x-dead-letter-exchange": text("deadLetterExchange"),
  "x-dead-letter-routing-key": text("deadLetterRoutingKey"),
};
