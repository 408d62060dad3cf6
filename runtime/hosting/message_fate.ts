/**
 * This file moves messages that could not be handled into delay queues and dead-letter queues. All of these
 * queues are Enoki's own.
 *
 * The queues that Enoki shares with Nameko carry no arguments, so they themselves neither delay messages nor
 * dead-letter them. A retry is a copy in a delay queue, whose messages the broker moves back to the original
 * queue after a time. So the message waits in the broker and survives a restart of everything. Each duration
 * has a separate queue, because a broker looks only at the head of a queue. The broker confirms the copy
 * before the original is acked: a crash in between leaves two messages, never none. If a lost connection has
 * already sent the original back to its queue, no copy is made.
 */
import type { Log } from "../log/log.ts";
import type { ReceivedMessage } from "../service/entrypoint.ts";
import { UnroutableError } from "../message/errors.ts";
import type { Failure } from "../message/failure.ts";
import { keepWireFields } from "../message/field_table.ts";
import { isRecord } from "../message/plain.ts";
import type {
  Delivery,
  FieldTable,
  FieldValue,
  Message,
  QueueDeclaration,
  Transport,
} from "../message/transport.ts";
import { publishCopyOf } from "./message_copy.ts";
import { ownQueueName } from "./own_queue.ts";
import { isTraceparent, traceparentOf } from "../telemetry/trace.ts";

/** Header that counts how often a message has failed before. */
export const ATTEMPT_HEADER = "x-enoki-attempt";

const LOSS_HEADER = "x-enoki-lost";

const SHARED_LOSS_HEADER = "x-enoki-lost-with-others";

const ORIGIN_HEADERS = {
  exchange: "x-enoki-exchange",
  routingKey: "x-enoki-routing-key",
  /** Present only if the mode was 1, because copies have 2. */
  deliveryMode: "x-enoki-delivery-mode",
  /** Present only if there was one, because copies have none. */
  expiration: "x-enoki-expiration",
  /** Names the call that first had the message. Present only if the sender named no span. */
  traceparent: "x-enoki-traceparent",
} as const;

/** A queue whose messages are to be moved, and the means to move them. */
export interface Outbox {
  /** The transport that its messages go to. */
  readonly transport: Transport;
  /** The queue that a message came from. */
  readonly queue: string;
  /**
   * Whether that queue is deleted with its consumers, and so gone when somebody looks at its dead messages.
   *
   * @default {false}
   */
  readonly temporary?: boolean;
  /** Aborting ends the wait for the confirmation of the broker. */
  readonly signal: AbortSignal;
  /** Names the call that had the message. */
  readonly traceparent?: string | undefined;
  /** Learns which headers were left out of a copy because they could not be written. */
  readonly log?: Log;
}

/** Reason why a message is dead. */
export type DeathReason = "undecodable" | "retries used up" | "thread lost";

/** Returns how often a message has failed before. */
export function attemptsOf(delivery: Delivery): number {
  return count(delivery, ATTEMPT_HEADER);
}

/** Returns in how many lost threads a message has run alone. */
export function lossesOf(delivery: Delivery): number {
  return count(delivery, LOSS_HEADER);
}

/** Returns in how many lost threads a message has run together with others, which may also be the cause. */
export function sharedLossesOf(delivery: Delivery): number {
  return count(delivery, SHARED_LOSS_HEADER);
}

function count(delivery: Delivery, header: string): number {
  const value = ownHeaders(delivery)?.[header];
  return Number.isSafeInteger(value) && (value as number) > 0 ? value as number : 0;
}

/** Makes the headers that count the failures and losses of a message, and adds 1 to the header `one`. */
function countersOf(delivery: Delivery, one: string): FieldTable {
  const counters = [ATTEMPT_HEADER, LOSS_HEADER, SHARED_LOSS_HEADER].map((header) =>
    [header, count(delivery, header) + (header === one ? 1 : 0)] as const
  );
  return Object.fromEntries(counters.filter(([, value]) => value > 0));
}

/** Offers a message that ran alone in a lost thread to its queue again, at once. */
export async function offerAgain(outbox: Outbox, delivery: Delivery): Promise<void> {
  await publishCopy(outbox, outbox.queue, delivery, countersOf(delivery, LOSS_HEADER));
}

/** Milliseconds of one step of the delay that separates messages that were lost together. */
const APART_STEP = 100;

/** Largest number of steps in the delay after the first loss. Each further loss doubles this number. */
const APART_STEPS = 10;

/**
 * Offers a message that was lost together with others again, after a random delay. So the message that is the
 * cause comes to run alone in its thread.
 */
export async function offerApart(outbox: Outbox, delivery: Delivery): Promise<void> {
  await offerLater(outbox, delivery, timeApart(sharedLossesOf(delivery)), SHARED_LOSS_HEADER);
}

/** Returns a random time, in milliseconds, to wait after a message was lost together with others. */
export function timeApart(earlier: number): number {
  return APART_STEP * (1 + Math.floor(Math.random() * APART_STEPS * 2 ** earlier));
}

/** Beginning of the names of all delay queues. */
const DELAY_PREFIX = "enoki.delay.";

/** Milliseconds that an unused delay queue stays after its delay. */
const DELAY_QUEUE_LINGER = 60_000;

/** Offers a message to its queue again after `delay` milliseconds, rounded up to two significant digits. */
export async function retryLater(outbox: Outbox, delivery: Delivery, delay: number): Promise<void> {
  await offerLater(outbox, delivery, delay, ATTEMPT_HEADER);
}

async function offerLater(outbox: Outbox, delivery: Delivery, delay: number, counted: string): Promise<void> {
  const home = { exchange: "", routingKey: outbox.queue };
  await sendLater(outbox, delivery, delay, home, countersOf(delivery, counted));
}

/** Publishes a copy of a message after `delay` milliseconds, rounded up to two significant digits. */
export async function sendLater(
  outbox: Outbox,
  delivery: Delivery,
  delay: number,
  { exchange, routingKey }: { readonly exchange: string; readonly routingKey: string },
  headers: FieldTable,
): Promise<void> {
  const milliseconds = roundedDelay(delay);
  const target = exchange === "" ? routingKey : `${exchange}.${routingKey}`;
  const name = ownQueueName(`${DELAY_PREFIX}${milliseconds}.`, target);
  const queue: QueueDeclaration = {
    name,
    arguments: {
      "x-message-ttl": milliseconds,
      "x-dead-letter-exchange": exchange,
      "x-dead-letter-routing-key": routingKey,
      "x-expires": milliseconds + DELAY_QUEUE_LINGER,
    },
  };
  await moveTo(outbox, queue, delivery, headers);
}

/** Rounds up to two significant digits, because each duration needs a separate queue. */
export function roundedDelay(milliseconds: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, milliseconds))) - 1);
  return Math.max(1, Math.ceil(milliseconds / unit) * unit);
}

/** Returns the name of the queue for the dead messages of a queue. */
export function deadLetterQueueOf(queue: string): string {
  return ownQueueName("enoki.dead.", queue);
}

/** Milliseconds that the dead messages of a deleted queue are kept: enough time for somebody to look. */
const TEMPORARY_DEAD_EXPIRES = 7 * 24 * 3_600_000;

function deadLetterQueue({ queue, temporary = false }: Outbox): QueueDeclaration {
  const name = deadLetterQueueOf(queue);
  return temporary ? { name, arguments: { "x-expires": TEMPORARY_DEAD_EXPIRES } } : { name };
}

/** Headers of a dead message. They say why and when it died, how often, and where it came from. */
export const DEATH_HEADERS = {
  reason: "x-enoki-dead-reason",
  error: "x-enoki-dead-error",
  at: "x-enoki-dead-at",
  attempts: "x-enoki-dead-attempts",
  ...ORIGIN_HEADERS,
} as const;

/** Puts a message into the dead-letter queue of its queue. */
export async function bury(
  outbox: Outbox,
  delivery: Delivery,
  reason: DeathReason,
  failure: Failure,
): Promise<void> {
  const lives = attemptsOf(delivery) + lossesOf(delivery) + sharedLossesOf(delivery);
  await moveTo(outbox, deadLetterQueue(outbox), delivery, {
    [DEATH_HEADERS.reason]: reason,
    [DEATH_HEADERS.error]: `${failure.name}: ${failure.message}`.slice(0, ERROR_LENGTH).toWellFormed(),
    [DEATH_HEADERS.at]: new Date().toISOString(),
    [DEATH_HEADERS.attempts]: lives + 1,
  });
}

/**
 * Sends a dead message to its queue again, as its sender sent it. Its earlier attempts no longer count.
 *
 * Nothing is left out of it: if it cannot be written as a whole, the dead message stays.
 *
 * @throws {UnroutableError} If that queue is gone.
 */
export async function replay({ transport, queue, signal }: Outbox, delivery: Delivery): Promise<void> {
  const { message } = copyOf(delivery, queue, tracedBy(delivery), originalMode(delivery) ?? 2);
  const expiration = originalExpiration(delivery);
  const properties = { ...message.properties, ...(expiration !== undefined && { expiration }) };
  await transport.publish({ ...message, properties }, {
    signal: AbortSignal.any([signal, delivery.signal]),
  });
}

/** Largest number of characters of an error in a header, because a header table must fit into a frame. */
const ERROR_LENGTH = 1_000;

/**
 * Returns the headers of a message if Enoki itself has sent this copy of it; undefined otherwise.
 *
 * Anybody can write Enoki's headers into a message. The broker itself writes two things that a sender cannot
 * forge: the exchange that a message came through, and the queue that last dead-lettered it. Enoki sends its
 * copies through the default exchange, without `x-death`, and only delay queues dead-letter them. Somebody who
 * may publish to the default exchange can write into any queue, and is trusted as the operator is.
 */
function ownHeaders({ exchange, properties: { headers } }: Delivery): FieldTable | undefined {
  if (exchange !== "" || headers === undefined || !(ORIGIN_HEADERS.exchange in headers)) return undefined;
  const deaths = headers["x-death"];
  if (deaths === undefined) return headers;
  const last: FieldValue | undefined = Array.isArray(deaths) ? deaths[0] : undefined;
  const queue = isRecord(last) ? last["queue"] : undefined;
  return typeof queue === "string" && queue.startsWith(DELAY_PREFIX) ? headers : undefined;
}

/** Returns the headers that a message had before it went through Enoki's own queues. */
export function originalHeaders(delivery: Delivery): FieldTable | undefined {
  const headers = ownHeaders(delivery);
  return headers === undefined ? delivery.properties.headers : withoutAdded(headers);
}

/** Leaves out the headers that Enoki and RabbitMQ add to a message that they move. */
export function withoutAdded(headers: FieldTable): FieldTable {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ADDED_REGEXP.test(name)));
}

/** Returns everything that a message says besides its payload, as its sender said it. */
export function receivedMessage(delivery: Delivery): Omit<ReceivedMessage, "queue"> {
  const { redelivered, properties, offset } = delivery;
  const [exchange, routingKey] = originOf(delivery);
  const headers = originalHeaders(delivery);
  const deliveryMode = originalMode(delivery);
  const expiration = originalExpiration(delivery);
  return {
    exchange,
    routingKey,
    redelivered,
    ...(offset !== undefined && { offset }),
    properties: {
      ...properties,
      ...(expiration !== undefined && { expiration }),
      ...(deliveryMode !== undefined && { deliveryMode }),
      ...(headers !== undefined && { headers }),
    },
  };
}

function originalMode(delivery: Delivery): 1 | 2 | undefined {
  return ownHeaders(delivery)?.[ORIGIN_HEADERS.deliveryMode] === 1 ? 1 : delivery.properties.deliveryMode;
}

/** Returns the expiration that the sender gave; undefined if there was none that a broker would take. */
function originalExpiration(delivery: Delivery): string | undefined {
  const value = delivery.properties.expiration ?? ownHeaders(delivery)?.[ORIGIN_HEADERS.expiration];
  return typeof value === "string" && /^\d{1,10}$/.test(value) ? value : undefined;
}

/** Names of the headers that Enoki adds to a message, and that RabbitMQ adds when it moves one. */
const ADDED_REGEXP = /^x-(?:enoki-.*|death|delivery-count|(?:first|last)-death-.*)$/;

/** Puts a copy into one of Enoki's own queues, which may have been deleted since it was declared. */
async function moveTo(
  outbox: Outbox,
  queue: QueueDeclaration,
  delivery: Delivery,
  headers: FieldTable,
): Promise<void> {
  delivery.signal.throwIfAborted();
  const move = async () => {
    await outbox.transport.declare({ queues: [queue] });
    await publishCopy(outbox, queue.name, delivery, headers);
  };
  try {
    await move();
  } catch (error) {
    if (!(error instanceof UnroutableError)) throw error;
    // A transport does not declare a queue again that it thinks is there. Deleting the queue makes it forget.
    if (await outbox.transport.countMessages(queue.name) === undefined) {
      await outbox.transport.deleteQueue(queue.name);
    }
    await move();
  }
}

/**
 * Publishes a copy of a message, and withdraws it if the delivery goes back to its queue before the copy is
 * sent: it would be a second message.
 *
 * @throws {UncopyableError} If the copy cannot be written.
 */
async function publishCopy(
  { transport, queue: source, traceparent, signal, log }: Outbox,
  queue: string,
  delivery: Delivery,
  headers: FieldTable,
): Promise<void> {
  const { message, own } = copyOf(delivery, queue, { ...tracedBy(delivery, traceparent), ...headers });
  await publishCopyOf(transport, message, {
    signal: AbortSignal.any([signal, delivery.signal]),
    own,
    name: nameOf(delivery, source),
    log,
  });
}

/** Returns the span that led to a message: the one that its sender names, or else the call that first had it. */
export function parentOf(delivery: Delivery): string | undefined {
  const parent = traceparentOf(delivery.properties.headers);
  if (parent !== undefined) return parent;
  const first = ownHeaders(delivery)?.[ORIGIN_HEADERS.traceparent];
  return isTraceparent(first) ? first : undefined;
}

/** Makes the header that keeps a message in its trace, if its sender has named none. */
function tracedBy(delivery: Delivery, traceparent?: string): FieldTable {
  const { headers } = delivery.properties;
  const first = traceparentOf(headers) === undefined ? parentOf(delivery) ?? traceparent : undefined;
  return first === undefined ? {} : { [ORIGIN_HEADERS.traceparent]: first };
}

/** Names a message in the log. */
function nameOf(delivery: Delivery, queue: string): string {
  const { messageId, correlationId } = delivery.properties;
  const [exchange, routingKey] = originOf(delivery);
  const ids = Object.entries({ "message id": messageId, "correlation id": correlationId })
    .flatMap(([kind, id]) => id === undefined ? [] : [`, ${kind} "${id}"`]);
  return `a message of queue "${queue}" (exchange "${exchange}", routing key "${routingKey}"${ids.join("")})`;
}

/**
 * Makes a copy of a message for a queue.
 *
 * The copy leaves out the expiration, which would make it vanish while it waits. It leaves out the sender's
 * user, which the broker accepts from nobody else. And it leaves out the copies to other queues (`CC`), which
 * have already been sent.
 */
function copyOf(delivery: Delivery, queue: string, headers: FieldTable, deliveryMode: 1 | 2 = 2) {
  const { expiration: _expiration, userId: _userId, ...properties } = delivery.properties;
  // A sender's own headers of these names would count in the copy.
  const { CC: _copies, ...kept } = withoutAdded(properties.headers ?? {});
  const [exchange, routingKey] = originOf(delivery);
  const expiration = originalExpiration(delivery);
  const own = {
    [ORIGIN_HEADERS.exchange]: exchange,
    [ORIGIN_HEADERS.routingKey]: routingKey,
    ...(originalMode(delivery) === 1 && { [ORIGIN_HEADERS.deliveryMode]: 1 }),
    ...(expiration !== undefined && { [ORIGIN_HEADERS.expiration]: expiration }),
    ...headers,
  };
  const table: FieldTable = { ...kept, ...own };
  keepWireFields(table, properties.headers, (name) => name !== "CC" && !ADDED_REGEXP.test(name));
  const message: Message = {
    exchange: "",
    routingKey: queue,
    body: delivery.body,
    mandatory: true,
    properties: { ...properties, deliveryMode, headers: table },
  };
  return { message, own };
}

/** Returns the exchange and the routing key that a message was first published with. */
function originOf(delivery: Delivery): readonly [exchange: string, routingKey: string] {
  const headers = ownHeaders(delivery) ?? {};
  return [
    textOr(headers[ORIGIN_HEADERS.exchange], delivery.exchange),
    textOr(headers[ORIGIN_HEADERS.routingKey], delivery.routingKey),
  ];
}

/** Anybody may send our headers, and with any value. */
function textOr(value: FieldValue | undefined, other: string): string {
  return typeof value === "string" ? value : other;
}
