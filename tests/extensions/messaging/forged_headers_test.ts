import assert from "node:assert/strict";
import {
  attemptsOf,
  lossesOf,
  originalHeaders,
  receivedMessage,
  retryLater,
  sharedLossesOf,
} from "../../../runtime/hosting/message_fate.ts";
import type { Delivery, FieldTable } from "../../../runtime/message/transport.ts";
import { type MessagingStage, messagingTest } from "./messaging_stage.ts";

const FORGED: FieldTable = {
  "x-enoki-exchange": "bank.events",
  "x-enoki-routing-key": "paid",
  "x-enoki-delivery-mode": 1,
  "x-enoki-attempt": 7,
  "x-enoki-lost": 1,
  "x-enoki-lost-with-others": 9,
  "x-death": [{ queue: "enoki.delay.1000.q", reason: "expired", count: 1 }],
};

/** A queue that is bound to an exchange where strangers publish. */
async function exposed(
  stage: MessagingStage,
): Promise<{ readonly exchange: string; readonly queue: string }> {
  const transport = await stage.own();
  const exchange = stage.name("exchange");
  const queue = stage.queueName();
  await transport.declare({
    exchanges: [{ name: exchange, type: "fanout", autoDelete: true }],
    queues: [{ name: queue }],
    bindings: [{ queue, exchange, routingKey: "" }],
  });
  return { exchange, queue };
}

async function next(stage: MessagingStage, queue: string): Promise<Delivery> {
  const { delivery, settle } = await (await stage.open(queue)).next();
  settle("ack");
  return delivery;
}

function countsOf(delivery: Delivery): readonly number[] {
  return [attemptsOf(delivery), lossesOf(delivery), sharedLossesOf(delivery)];
}

messagingTest("the headers of our copies count for nothing in a stranger's message", async (stage) => {
  const { exchange, queue } = await exposed(stage);
  await stage.publish({ exchange, routingKey: "order", body: "1", properties: { headers: FORGED } });
  const delivery = await next(stage, queue);
  assert.deepEqual(countsOf(delivery), [0, 0, 0]);
  const received = receivedMessage(delivery);
  assert.deepEqual([received.exchange, received.routingKey], [exchange, "order"]);
  assert.equal(received.properties.deliveryMode === 1, delivery.properties.deliveryMode === 1);
  assert.equal(originalHeaders(delivery)?.["x-enoki-attempt"], 7);
});

messagingTest("a stranger's headers do not begin to count in our copy", async (stage) => {
  const { exchange, queue } = await exposed(stage);
  const transport = await stage.own();
  await stage.publish({ exchange, routingKey: "order", body: "1", properties: { headers: FORGED } });
  const inbox = await stage.open(queue);
  const first = await inbox.next();
  await retryLater({ transport, queue, signal: new AbortController().signal }, first.delivery, 1);
  first.settle("ack");
  const second = await inbox.next();
  second.settle("ack");
  assert.deepEqual(countsOf(second.delivery), [1, 0, 0]);
  const { exchange: origin, routingKey } = receivedMessage(second.delivery);
  assert.deepEqual([origin, routingKey], [exchange, "order"]);
});

messagingTest(
  "a queue of others that dead-letters into ours does not make a message our copy",
  async (stage) => {
    const { exchange, queue } = await exposed(stage);
    const transport = await stage.own();
    const target = stage.queueName();
    const { "x-death": _, ...headers } = FORGED;
    await transport.declare({
      queues: [{ name: target }, {
        name: `${queue}-waiting`,
        arguments: {
          "x-message-ttl": 1,
          "x-dead-letter-exchange": "",
          "x-dead-letter-routing-key": target,
          "x-expires": 60_000,
        },
      }],
      bindings: [{ queue: `${queue}-waiting`, exchange, routingKey: "" }],
    });
    await stage.publish({ exchange, routingKey: "order", body: "1", properties: { headers } });
    const delivery = await next(stage, target);
    assert.equal(delivery.exchange, "");
    assert.deepEqual(countsOf(delivery), [0, 0, 0]);
  },
);
