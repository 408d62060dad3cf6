/** Puts messages into queues. The server drops a message that it has under the same id, so sending twice is safe. */
import { BrokerError, type Message } from "@enoki/enoki";
import { hadNoListener, headers } from "./client_library.ts";
import { deadLetter, type Dying, goesRound } from "./dead_letter.ts";
import { ENVELOPE, sealEnvelope } from "./envelope.ts";
import { exchangeKey, type ExchangeRecord, type QueueRecord } from "./records.ts";
import { queuesFor } from "./routing.ts";
import type { Session } from "./session.ts";

/** A message as it goes over the wire. It does not change with the objects of its publisher. */
export interface Parcel {
  readonly message: Message;
  readonly id: string;
  readonly envelope: string;
  readonly body: Uint8Array;
}

const UTF8 = new TextEncoder();

/** Bytes of the headers beside the envelope's text. */
const HEADERS_SIZE = 256;

/** Packs a message. */
export function pack(message: Message, id: string = crypto.randomUUID()): Parcel {
  const { body } = message;
  return {
    message,
    id,
    envelope: sealEnvelope(message),
    body: typeof body === "string" ? UTF8.encode(body) : body.slice(),
  };
}

/**
 * Reads the exchanges of some messages. A transport reads them for every message, because other processes change
 * them: a binding counts from the moment that it is declared.
 */
export async function readExchanges(
  { registry }: Session,
  messages: readonly Message[],
): Promise<ReadonlyMap<string, ExchangeRecord | undefined>> {
  const names = new Set(messages.map(({ exchange }) => exchange));
  names.delete("");
  const reads = [...names].map(async (name) => {
    const entry = await registry.get<ExchangeRecord>(exchangeKey(name));
    return [name, entry?.value] as const;
  });
  return new Map(await Promise.all(reads));
}

/**
 * Returns the queues that a message goes to. The default exchange routes by queue name.
 *
 * @throws {BrokerError} If there is no such exchange.
 */
export function route(
  message: Message,
  exchanges: ReadonlyMap<string, ExchangeRecord | undefined>,
): readonly string[] {
  if (message.exchange === "") return [message.routingKey];
  const exchange = exchanges.get(message.exchange);
  if (exchange !== undefined) return queuesFor(exchange, message);
  throw new BrokerError(
    `Cannot publish to exchange "${message.exchange}": there is no such exchange. Declare it first`,
  );
}

/**
 * Sends a parcel to queues, at once and in the order of the calls. Resolves with the number of queues that have it.
 *
 * @throws {BrokerError} If the message is too large.
 */
export async function send(session: Session, parcel: Parcel, queues: readonly string[]): Promise<number> {
  const { body, envelope, id, message } = parcel;
  const most = session.connection.info?.max_payload ?? Infinity;
  const size = body.length + UTF8.encode(envelope).length + HEADERS_SIZE;
  if (size > most) {
    throw new BrokerError(
      `Cannot publish to exchange "${message.exchange}": the message has ${size} bytes with its headers, and the ` +
        `server takes at most ${most}. Raise max_payload of the server, or send less`,
    );
  }
  const taken = await Promise.all(queues.map(async (queue) => {
    const table = headers();
    table.set(ENVELOPE, envelope);
    try {
      await session.jetstream.publish(session.names.subject(queue), body, { msgID: id, headers: table });
    } catch (error) {
      if (hadNoListener(error) && await isGone(session, queue)) return false;
      throw error;
    }
    session.options.sent(queue, message.properties.expiration);
    return true;
  }));
  return taken.filter(Boolean).length;
}

/** Says whether a queue is gone whose stream did not listen. In a cluster, the stream may only be moving. */
async function isGone({ manager, names }: Session, queue: string): Promise<boolean> {
  for await (const _stream of manager.streams.names(names.subject(queue))) return false;
  return true;
}

/** Identifies a message in a queue; its dead letter has the same id, whoever sends it. */
export interface Place {
  readonly sequence: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly time: number;
}

/** Sends a message that leaves its queue to the dead-letter exchange, if the queue has one. */
export async function bury(
  session: Session,
  record: QueueRecord,
  dying: Dying,
  { sequence, time }: Place,
  reason: "rejected" | "expired",
): Promise<void> {
  const letter = deadLetter(dying, record, reason);
  if (letter === undefined) return;
  const exchanges = await readExchanges(session, [letter]);
  if (letter.exchange !== "" && exchanges.get(letter.exchange) === undefined) return;
  const queues = route(letter, exchanges).filter((queue) => !goesRound(letter, queue));
  await send(session, pack(letter, `${record.stream}:${sequence}:${time}`), queues);
}
