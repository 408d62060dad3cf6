/** Makes dead letters as RabbitMQ does: the header `x-death` says where, why and how often a message died. */
import type { FieldTable, Message } from "@enoki/enoki";
import type { Envelope } from "./envelope.ts";
import type { QueueRecord } from "./records.ts";

/** A message that is about to leave its queue. */
export interface Dying extends Envelope {
  readonly body: Uint8Array;
}

/** Makes the dead letter of a message; undefined if its queue drops what dies. */
export function deadLetter(
  { exchange, routingKey, body, properties: { expiration, headers = {}, ...properties } }: Dying,
  { name: queue, arguments: { deadLetterExchange, deadLetterRoutingKey } }: QueueRecord,
  reason: "rejected" | "expired",
): Message | undefined {
  if (deadLetterExchange === undefined) return undefined;
  const deaths = deathsOf(headers);
  const before = deaths.find((death) => death["queue"] === queue && death["reason"] === reason);
  const death: FieldTable = before !== undefined ? { ...before, count: Number(before["count"] ?? 0) + 1 } : {
    count: 1,
    reason,
    queue,
    time: Math.floor(Date.now() / 1_000),
    exchange,
    "routing-keys": [routingKey],
    ...(expiration !== undefined && { "original-expiration": expiration }),
  };
  return {
    exchange: deadLetterExchange,
    routingKey: deadLetterRoutingKey ?? routingKey,
    body,
    properties: {
      ...properties,
      headers: {
        "x-first-death-exchange": exchange,
        "x-first-death-queue": queue,
        "x-first-death-reason": reason,
        ...headers,
        "x-death": [death, ...deaths.filter((other) => other !== before)],
      },
    },
  };
}

/**
 * Says whether a dead letter is about to enter a queue where it died before, without a rejection since then. It
 * would go round for ever, so it is dropped.
 */
export function goesRound({ properties: { headers = {} } }: Message, queue: string): boolean {
  const deaths = deathsOf(headers);
  const before = deaths.findIndex((death) => death["queue"] === queue);
  return before >= 0 && deaths.slice(0, before + 1).every((death) => death["reason"] !== "rejected");
}

/** Anybody may send the header, and with any value. */
function deathsOf(headers: FieldTable): readonly FieldTable[] {
  const deaths = headers["x-death"];
  return Array.isArray(deaths)
    ? deaths.filter((death) => typeof death === "object" && death !== null && !Array.isArray(death))
    : [];
}
