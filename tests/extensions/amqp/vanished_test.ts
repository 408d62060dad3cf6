/** What happens when something that was declared is gone: it is declared again as soon as it is missed. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../../fixtures/broker.ts";

brokerTest(
  "An exchange that went with its last queue is declared again by who publishes to it",
  async (uri) => {
    const exchange = `enoki-test-${crypto.randomUUID()}`;
    const topology = {
      exchanges: [{ name: exchange, type: "fanout", durable: false, autoDelete: true }],
    } as const;
    await using publishing = amqp(uri);
    await using consuming = amqp(uri);
    await Promise.all([publishing.connect(), consuming.connect()]);
    await publishing.declare(topology);
    await consuming.declare({
      ...topology,
      queues: [{ name: exchange, durable: false }],
      bindings: [{ exchange, queue: exchange, routingKey: "" }],
    });
    await consuming.deleteQueue(exchange);
    const message = { exchange, routingKey: "", body: "", properties: {} };
    await Promise.all([publishing.publish(message), publishing.publish(message)]);
    await assert.rejects(
      publishing.publish({ ...message, exchange: `${exchange}-missing` }),
      /NOT_FOUND - no exchange/,
    );
  },
);

brokerTest("A queue that was declared here and is gone takes a mandatory message", async (uri) => {
  const queue = `enoki-test-${crypto.randomUUID()}`;
  await using transport = amqp(uri);
  await using other = amqp(uri);
  await Promise.all([transport.connect(), other.connect()]);
  await transport.declare({ queues: [{ name: queue }] });
  await other.deleteQueue(queue);
  await transport.publish({ exchange: "", routingKey: queue, body: "", properties: {}, mandatory: true });
  assert.equal(await transport.countMessages(queue), 1);
  await transport.deleteQueue(queue);
});

brokerTest("A consumer whose exchange was deleted and declared anew gets its messages again", async (uri) => {
  const queue = `enoki-test-${crypto.randomUUID()}`;
  const exchange = `${queue}-x`;
  const topology = { exchanges: [{ name: exchange, type: "topic", autoDelete: true }] } as const;
  await using transport = amqp(uri, { checkInterval: 20 });
  await using other = amqp(uri);
  await Promise.all([transport.connect(), other.connect()]);
  await transport.declare({
    ...topology,
    queues: [{ name: queue, durable: false }],
    bindings: [{ exchange, queue, routingKey: "news" }],
  });
  const inbox = new Inbox();
  await transport.consume(queue, inbox.receiver, { prefetch: 1 });
  const { connect } = await import("npm:amqplib@2.3.1");
  const connection = await connect(uri);
  const channel = await connection.createChannel();
  await channel.deleteExchange(exchange);
  await connection.close();
  await other.declare(topology);
  const news = { exchange, routingKey: "news", body: "heard", properties: {}, mandatory: true };
  for (let isTaken = false; !isTaken;) isTaken = await other.publish(news).then(() => true, () => false);
  assert.equal(await inbox.text(), "heard");
  await transport.deleteQueue(queue);
});
