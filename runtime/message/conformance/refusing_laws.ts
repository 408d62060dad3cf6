/**
 * The features of the interface that a transport may lack.
 *
 * A transport that lacks a feature must refuse it where somebody asks for it, so that nobody relies on what does
 * not happen. Each feature therefore has an attempt here, which such a transport rejects.
 */
import assert from "node:assert/strict";
import type { QueueDeclaration, Transport } from "../transport.ts";
import { letter, type RegisterLaw, type Stage, type TransportFeature } from "./stage.ts";

/** Registers for each of these features the law that a transport without it refuses it. */
export function refusingLaws(
  register: RegisterLaw,
  features: readonly TransportFeature[],
): void {
  for (const feature of features) {
    const attempt = ATTEMPTS[feature];
    if (attempt === undefined) continue;
    register(`A transport without ${feature} refuses them by a clear error`, async (stage) => {
      const transport = await stage.transport();
      await assert.rejects(
        () => attempt(stage, transport),
        (error: Error) =>
          error.message.startsWith("Cannot ") && (error.name === "BrokerError" || error.name === "TypeError"),
      );
      const queue = await stage.queue(transport);
      await stage.send(transport, queue, "the transport still works");
    });
  }
}

/** What a transport without the feature rejects. That the place of a requeued message differs cannot be refused. */
const ATTEMPTS: Readonly<
  Record<TransportFeature, ((stage: Stage, transport: Transport) => Promise<unknown>) | undefined>
> = {
  "headers exchanges": (stage, transport) =>
    transport.declare({ exchanges: [{ name: stage.exchangeName(), type: "headers", autoDelete: true }] }),
  "topic patterns": async (stage, transport) =>
    stage.boundQueue(transport, await stage.exchange(transport, "topic"), "a.*.#"),
  "exclusive queues": declaring({ durable: false, exclusive: true }),
  "exclusive consumers": async (stage, transport) =>
    transport.consume(await stage.queue(transport), () => Promise.resolve("ack"), {
      prefetch: 1,
      exclusive: true,
    }),
  "auto-delete queues": declaring({ autoDelete: true }),
  "queue expiry": declaring({ arguments: { "x-expires": 60_000 } }),
  "message expiry": async (stage, transport) => {
    const { properties, ...message } = letter(await stage.queue(transport), "expires");
    await transport.publish({ ...message, properties: { ...properties, expiration: "60000" } });
  },
  "length limits": declaring({ arguments: { "x-max-length": 10 } }),
  "priorities": declaring({ arguments: { "x-max-priority": 5 } }),
  "dead-letter exchanges": declaring({ arguments: { "x-dead-letter-exchange": "" } }),
  "large bodies": async (stage, transport) =>
    transport.publish({
      ...letter(await stage.queue(transport), ""),
      body: new Uint8Array(3 * 1024 * 1024 + 17),
    }),
  streams: declaring({ arguments: { "x-queue-type": "stream" } }),
  "requeueing in place": undefined,
};

function declaring(declaration: Omit<QueueDeclaration, "name">) {
  return (stage: Stage, transport: Transport) => stage.queue(transport, declaration);
}
