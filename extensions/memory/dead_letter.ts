import type { FieldTable, MessageProperties } from "../../runtime/message/transport.ts";
import type { SealedMessage } from "./sealed_message.ts";

/** RabbitMQ's `x-death` header says with these words why a message left its queue for the dead-letter exchange. */
export type DeathReason = "rejected" | "expired" | "maxlen" | "delivery_limit";

/** A queue sends its dead letters along this route. */
export interface DeadLetterRoute {
  readonly exchange: string;
  /** This replaces the message's own routing key. */
  readonly routingKey?: string;
}

/**
 * Makes the message that a queue sends to its dead-letter exchange.
 *
 * The message has RabbitMQ's `x-death` header, and its `expiration` moves into that header.
 */
export function deadLetter(
  message: SealedMessage,
  queue: string,
  reason: DeathReason,
  { exchange, routingKey = message.routingKey }: DeadLetterRoute,
  time: Date,
): SealedMessage {
  const { expiration, headers = {}, ...properties } = message.properties;
  const deaths = deathsOf(headers);
  return {
    exchange,
    routingKey,
    body: message.body,
    properties: {
      ...properties,
      headers: buried(message, { queue, reason, time }, headers, deaths, expiration),
    },
    mandatory: false,
  };
}

function buried(
  message: SealedMessage,
  { queue, reason, time }: { readonly queue: string; readonly reason: DeathReason; readonly time: Date },
  headers: FieldTable,
  deaths: readonly FieldTable[],
  expiration: MessageProperties["expiration"],
): FieldTable {
  const same = (death: FieldTable) => death["queue"] === queue && death["reason"] === reason;
  const before = deaths.find(same);
  const death: FieldTable = before !== undefined ? { ...before, count: Number(before["count"] ?? 0) + 1 } : {
    count: 1,
    reason,
    queue,
    time,
    exchange: message.exchange,
    "routing-keys": [message.routingKey],
    ...(expiration === undefined ? {} : { "original-expiration": expiration }),
  };
  return {
    "x-first-death-exchange": message.exchange,
    "x-first-death-queue": queue,
    "x-first-death-reason": reason,
    ...headers,
    "x-death": [death, ...deaths.filter((other) => other !== before)],
  };
}

function deathsOf(headers: FieldTable): readonly FieldTable[] {
  const deaths = headers["x-death"];
  return Array.isArray(deaths) ? deaths : [];
}

/**
 * Says whether a dead letter is about to enter a queue where it died before, without a rejection since then.
 *
 * Such a letter would go round for ever, so the broker drops it.
 */
export function goesRound({ properties: { headers = {} } }: SealedMessage, queue: string): boolean {
  const deaths = deathsOf(headers);
  const before = deaths.findIndex((death) => death["queue"] === queue);
  return before >= 0 && deaths.slice(0, before + 1).every((death) => death["reason"] !== "rejected");
}
