/**
 * Where messages wait that could not be handled: delay queues and dead-letter queues, all our own.
 *
 * The queues shared with Nameko carry no arguments, so nothing is asked of them. A retry is a copy in a queue
 * whose messages the broker moves back to the original queue after a time; so it waits in the broker and survives
 * a restart of everything. One queue for each duration, because a broker looks only at the head of a queue.
 * The copy is confirmed before the original is acked: a crash in between makes two of it, never none. Where a lost
 * connection has sent the original back to its queue already, no copy is made.
 */
import type { ReceivedMessage } from "../service/entrypoint.ts";
import { UnroutableError } from "../message/errors.ts";
import type { Failure } from "../message/failure.ts";
import type { Delivery, FieldTable, FieldValue, QueueDeclaration, Transport } from "../message/transport.ts";
import { createHash } from "node:crypto";

const ATTEMPT_HEADER = "x-enoki-attempt";

const LOSS_HEADER = "x-enoki-lost";

const SHARED_LOSS_HEADER = "x-enoki-lost-with-others";

const ORIGIN_HEADERS = {
  exchange: "x-enoki-exchange",
  routingKey: "x-enoki-routing-key",
  /** Only where it is 1, for copies have 2. */
  deliveryMode: "x-enoki-delivery-mode",
} as const;

/** Where the messages of a queue are put, and for how long the broker's word is waited for. */
export interface Outbox {
  readonly transport: Transport;
  /** The queue that a message came from. */
  readonly queue: string;
  /** Whether that queue goes with its consumers, so that it will not be there for what died in it. @default {false} */
  readonly temporary?: boolean;
  readonly signal: AbortSignal;
}

/** Why a message is dead. */
export type DeathReason = "undecodable" | "retries used up" | "thread lost";

/** How often a message has failed before. */
export function attemptsOf(delivery: Delivery): number {
  return count(delivery, ATTEMPT_HEADER);
}

/** How often a message has cost a thread its life before, alone in it. */
export function lossesOf(delivery: Delivery): number {
  return count(delivery, LOSS_HEADER);
}

/** How often a message was in a thread that was lost before, with others that may be to blame as well. */
export function sharedLossesOf(delivery: Delivery): number {
  return count(delivery, SHARED_LOSS_HEADER);
}

function count({ properties: { headers } }: Delivery, header: string): number {
  const value = headers?.[header];
  return typeof value === "number" ? value : 0;
}

/** The headers of a copy: what a message has been through, with one more of something. */
function countersOf(delivery: Delivery, one: string): FieldTable {
  const counters = [ATTEMPT_HEADER, LOSS_HEADER, SHARED_LOSS_HEADER].map((header) =>
    [header, count(delivery, header) + (header === one ? 1 : 0)] as const
  );
  return Object.fromEntries(counters.filter(([, value]) => value > 0));
}

/** Offers a message that cost a thread its life to its queue again, at once. */
export async function offerAgain(outbox: Outbox, delivery: Delivery): Promise<void> {
  await publishCopy(outbox, outbox.queue, delivery, countersOf(delivery, LOSS_HEADER));
}

/** Milliseconds by which those that were lost together come apart, in steps of so many. */
const APART_STEP = 100;

/** Steps among which one is drawn after the first loss; with each further one there are twice as many. */
const APART_STEPS = 10;

/**
 * Offers a message that was lost with others again, after a time of its own: so the one that is to blame comes to
 * be alone in its thread.
 */
export async function offerApart(outbox: Outbox, delivery: Delivery): Promise<void> {
  const steps = 1 + Math.floor(Math.random() * APART_STEPS * 2 ** sharedLossesOf(delivery));
  await offerLater(outbox, delivery, steps * APART_STEP, SHARED_LOSS_HEADER);
}

/** Milliseconds that an unused delay queue stays beyond its delay. */
const DELAY_QUEUE_LINGER = 60_000;

/** Offers a message to its queue again after `delay` milliseconds, rounded up to two digits. */
export async function retryLater(outbox: Outbox, delivery: Delivery, delay: number): Promise<void> {
  await offerLater(outbox, delivery, delay, ATTEMPT_HEADER);
}

async function offerLater(outbox: Outbox, delivery: Delivery, delay: number, counted: string): Promise<void> {
  const milliseconds = roundUp(delay);
  const name = ownQueueName(`enoki.delay.${milliseconds}.`, outbox.queue);
  const queue: QueueDeclaration = {
    name,
    arguments: {
      "x-message-ttl": milliseconds,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": outbox.queue,
      "x-expires": milliseconds + DELAY_QUEUE_LINGER,
    },
  };
  await moveTo(outbox, queue, delivery, countersOf(delivery, counted));
}

/** Two digits, because each duration is a queue of its own. */
function roundUp(milliseconds: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, milliseconds))) - 1);
  return Math.max(1, Math.ceil(milliseconds / unit) * unit);
}

/** Name of the queue for the dead messages of a queue. */
export function deadLetterQueueOf(queue: string): string {
  return ownQueueName("enoki.dead.", queue);
}

/** Milliseconds that the dead of a queue which is gone are kept: time enough for somebody to look. */
const TEMPORARY_DEAD_EXPIRES = 7 * 24 * 3_600_000;

function deadLetterQueue({ queue, temporary = false }: Outbox): QueueDeclaration {
  const name = deadLetterQueueOf(queue);
  return temporary ? { name, arguments: { "x-expires": TEMPORARY_DEAD_EXPIRES } } : { name };
}

/** Headers of a dead message, which say why, when and how often. */
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
    [DEATH_HEADERS.error]: `${failure.name}: ${failure.message}`.slice(0, ERROR_LENGTH),
    [DEATH_HEADERS.at]: new Date().toISOString(),
    [DEATH_HEADERS.attempts]: lives + 1,
  });
}

/**
 * Sends a dead message to its queue again, as its sender had sent it, with no attempt behind it.
 *
 * @throws {UnroutableError} If that queue is gone.
 */
export async function replay(outbox: Outbox, delivery: Delivery): Promise<void> {
  await publishCopy(outbox, outbox.queue, delivery, {}, originalMode(delivery) ?? 2);
}

/** Characters of an error that go along: a header table must fit into a frame. */
const ERROR_LENGTH = 1_000;

/** The headers that a message had before it went through queues of ours. */
export function originalHeaders(headers: FieldTable | undefined): FieldTable | undefined {
  if (headers === undefined || !(ORIGIN_HEADERS.exchange in headers)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ADDED_REGEXP.test(name)));
}

/** What a message says beside its payload, as its sender said it. */
export function receivedMessage(delivery: Delivery): ReceivedMessage {
  const { redelivered, properties } = delivery;
  const [exchange, routingKey] = originOf(delivery);
  const headers = originalHeaders(properties.headers);
  const deliveryMode = originalMode(delivery);
  return {
    exchange: String(exchange),
    routingKey: String(routingKey),
    redelivered,
    properties: {
      ...properties,
      ...(deliveryMode !== undefined && { deliveryMode }),
      ...(headers !== undefined && { headers }),
    },
  };
}

function originalMode({ properties: { headers, deliveryMode } }: Delivery): 1 | 2 | undefined {
  return headers?.[ORIGIN_HEADERS.deliveryMode] === 1 ? 1 : deliveryMode;
}

/** What we add to a message, and what RabbitMQ adds when it moves one. */
const ADDED_REGEXP = /^x-(?:enoki-.*|death|(?:first|last)-death-.*)$/;

/** Puts a copy into a queue of ours, which may have been deleted since it was declared. */
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
    // A transport does not declare again what it takes to be there: deleting has it forget.
    if (await outbox.transport.countMessages(queue.name) === undefined) {
      await outbox.transport.deleteQueue(queue.name);
    }
    await move();
  }
}

/**
 * A copy that still waits to be sent when the delivery has gone back to its queue is withdrawn: it would be a second.
 * Left out are an expiration, which would make the copy vanish while it waits, the sender's user, which the broker
 * takes from nobody else, and copies to other queues, which have been sent.
 */
async function publishCopy(
  { transport, signal }: Outbox,
  queue: string,
  delivery: Delivery,
  headers: FieldTable,
  deliveryMode: 1 | 2 = 2,
): Promise<void> {
  const { expiration: _expiration, userId: _userId, ...properties } = delivery.properties;
  const { CC: _copies, ...kept } = originalHeaders(properties.headers) ?? {};
  const [exchange, routingKey] = originOf(delivery);
  const origin = {
    [ORIGIN_HEADERS.exchange]: exchange,
    [ORIGIN_HEADERS.routingKey]: routingKey,
    ...(originalMode(delivery) === 1 && { [ORIGIN_HEADERS.deliveryMode]: 1 }),
  };
  await transport.publish({
    exchange: "",
    routingKey: queue,
    body: delivery.body,
    mandatory: true,
    properties: { ...properties, deliveryMode, headers: { ...kept, ...origin, ...headers } },
  }, { signal: AbortSignal.any([signal, delivery.signal]) });
}

/** Where a message was first published to. */
function originOf({ exchange, routingKey, properties: { headers = {} } }: Delivery): readonly [
  FieldValue,
  FieldValue,
] {
  return [headers[ORIGIN_HEADERS.exchange] ?? exchange, headers[ORIGIN_HEADERS.routingKey] ?? routingKey];
}

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
