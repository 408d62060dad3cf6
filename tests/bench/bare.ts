/**
 * An echo on bare amqplib with the guarantees that Enoki gives: requests mandatory, persistent and confirmed,
 * replies persistent and confirmed, the request acked after its reply is confirmed, JSON read and written on
 * both sides. A peer may leave out some of them, to show what they cost.
 */
import { Buffer } from "node:buffer";
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type ConsumeMessage } from "amqplib";
import type { Echo } from "./load.ts";

const EXCHANGE = "bench-bare";
const PREFETCH = 200;

/** Milliseconds that the queue of replies stays without its caller, as with Enoki. */
const REPLY_QUEUE_EXPIRES = 300_000;

/** What a bare peer promises. */
export interface Guarantees {
  /** Whether the broker writes requests to its disk. */
  readonly persistentRequests: boolean;
  /** Whether the broker writes replies to its disk. */
  readonly persistentReplies: boolean;
  readonly confirmedRequests: boolean;
  readonly confirmedReplies: boolean;
  /** Whether the broker returns a request that no queue takes. */
  readonly mandatory: boolean;
  /** Whether a request is acked after its reply is confirmed, or when its reply is on the way. */
  readonly lateAck: boolean;
}

const ALL: Guarantees = {
  persistentRequests: true,
  persistentReplies: true,
  confirmedRequests: true,
  confirmedReplies: true,
  mandatory: true,
  lateAck: true,
};

/** As a transient call has them: nobody waits for what the broker says of a reply. */
const TRANSIENT: Guarantees = {
  ...ALL,
  persistentRequests: false,
  persistentReplies: false,
  confirmedReplies: false,
  lateAck: false,
};

const NONE: Guarantees = { ...TRANSIENT, confirmedRequests: false, mandatory: false };

/** What each half costs: all guarantees but one. A reply that is not confirmed leaves nothing to wait for. */
export const HALVES: Readonly<Record<string, Guarantees>> = {
  "bare-without-persistent-requests": { ...ALL, persistentRequests: false },
  "bare-without-persistent-replies": { ...ALL, persistentReplies: false },
  "bare-without-confirmed-requests": { ...ALL, confirmedRequests: false },
  "bare-without-confirmed-replies": { ...ALL, confirmedReplies: false, lateAck: false },
  "bare-without-mandatory-requests": { ...ALL, mandatory: false },
  "bare-without-late-acks": { ...ALL, lateAck: false },
};

/** The kinds of bare peers, by their names. */
export const BARE: Readonly<Record<string, Guarantees>> = {
  "bare": ALL,
  ...HALVES,
  "bare-transient": TRANSIENT,
  "bare-without-all": NONE,
};

/** Serves the echo until the process ends. */
export async function serveBare(kind: string, uri: string): Promise<void> {
  const { persistentReplies: persistent, confirmedReplies, lateAck } = BARE[kind]!;
  const connection = await connect(uri, { noDelay: true });
  const channel = await openChannel(connection, confirmedReplies);
  await declare(channel, `bench-${kind}-echo`, `${kind}.*`);
  await channel.prefetch(PREFETCH);
  await channel.consume(`bench-${kind}-echo`, (message) => {
    const { args } = JSON.parse(message!.content.toString());
    const reply = JSON.stringify({ result: args[0], error: null });
    const { replyTo, correlationId } = message!.properties;
    const ack = () => channel.ack(message!);
    channel.publish(EXCHANGE, replyTo, Buffer.from(reply), {
      contentType: "application/json",
      contentEncoding: "utf-8",
      persistent,
      priority: 0,
      correlationId,
      headers: {},
    }, lateAck ? ack : () => {});
    if (!lateAck) ack();
  });
}

/** Connects a caller of the echo. */
export async function connectBare(kind: string, uri: string): Promise<Echo> {
  const { persistentRequests: persistent, confirmedRequests, mandatory } = BARE[kind]!;
  const connection = await connect(uri, { noDelay: true });
  const channel = await openChannel(connection, confirmedRequests);
  const replyTo = crypto.randomUUID();
  const replies = `bench-bare-reply-${replyTo}`;
  // An exclusive queue would not be durable, so its messages would not be persistent.
  await declare(channel, replies, replyTo, { arguments: { "x-expires": REPLY_QUEUE_EXPIRES } });
  const waiting = new Map<string, (value: unknown) => void>();
  await channel.consume(replies, (message) => {
    const { result } = JSON.parse((message as ConsumeMessage).content.toString());
    const { correlationId } = message!.properties;
    waiting.get(correlationId)?.(result);
    waiting.delete(correlationId);
    channel.ack(message!);
  });
  return {
    echo: (value) =>
      new Promise((resolve) => {
        const correlationId = crypto.randomUUID();
        waiting.set(correlationId, resolve);
        channel.publish(
          EXCHANGE,
          `${kind}.echo`,
          Buffer.from(JSON.stringify({ args: [value], kwargs: {} })),
          {
            contentType: "application/json",
            contentEncoding: "utf-8",
            persistent,
            priority: 0,
            mandatory,
            correlationId,
            replyTo,
            headers: { "nameko.call_id_stack": ["bench.call.1"] },
          },
          () => {},
        );
      }),
    close: () => connection.close(),
  };
}

/** Both kinds of channels take the callback of a confirm, which a channel without confirms never calls. */
async function openChannel(connection: ChannelModel, confirms: boolean): Promise<ConfirmChannel> {
  return await (confirms ? connection.createConfirmChannel() : connection.createChannel()) as ConfirmChannel;
}

async function declare(channel: Channel, queue: string, routingKey: string, options = {}): Promise<void> {
  await channel.assertExchange(EXCHANGE, "topic");
  await channel.assertQueue(queue, options);
  await channel.bindQueue(queue, EXCHANGE, routingKey);
}
