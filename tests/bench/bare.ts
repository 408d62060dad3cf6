/**
 * An echo on bare amqplib with the guarantees that Enoki gives: requests mandatory, persistent and confirmed,
 * replies persistent and confirmed, the request acked after its reply is confirmed, JSON read and written on
 * both sides.
 */
import { type Channel, connect, type ConsumeMessage } from "amqplib";
import type { Echo } from "./load.ts";

const EXCHANGE = "bench-bare";
const PREFETCH = 200;

/** Serves the echo until the process ends. */
export async function serveBare(uri: string): Promise<void> {
  const connection = await connect(uri, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await declare(channel, "bench-bare-echo", "bench_bare.*");
  await channel.prefetch(PREFETCH);
  await channel.consume("bench-bare-echo", (message) => {
    const { args } = JSON.parse(message!.content.toString());
    const reply = JSON.stringify({ result: args[0], error: null });
    const { replyTo, correlationId } = message!.properties;
    channel.publish(EXCHANGE, replyTo, Buffer.from(reply), {
      contentType: "application/json",
      contentEncoding: "utf-8",
      persistent: true,
      priority: 0,
      correlationId,
      headers: {},
    }, () => channel.ack(message!));
  });
}

/** Connects a caller of the echo. */
export async function connectBare(uri: string): Promise<Echo> {
  const connection = await connect(uri, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const replyTo = crypto.randomUUID();
  const replies = `bench-bare-reply-${replyTo}`;
  await declare(channel, replies, replyTo, { exclusive: true });
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
          "bench_bare.echo",
          Buffer.from(JSON.stringify({ args: [value], kwargs: {} })),
          {
            contentType: "application/json",
            contentEncoding: "utf-8",
            persistent: true,
            priority: 0,
            mandatory: true,
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

async function declare(channel: Channel, queue: string, routingKey: string, options = {}): Promise<void> {
  await channel.assertExchange(EXCHANGE, "topic");
  await channel.assertQueue(queue, options);
  await channel.bindQueue(queue, EXCHANGE, routingKey);
}
