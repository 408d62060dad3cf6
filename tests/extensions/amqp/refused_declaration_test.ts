/** What a declaration costs that the broker refuses after a loss: the queue that it belongs to, and nothing else. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import type { Topology, Transport, TransportStatus } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { connectionClose, FrameProxy, METHODS } from "../../fixtures/frame_proxy.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

type Refused = Extract<TransportStatus, { readonly state: "refused" }>;

function names(...parts: string[]): string[] {
  return parts.map((part) => `enoki-test-${part}-${crypto.randomUUID()}`);
}

function send(transport: Transport, queue: string): Promise<void> {
  return transport.publish({ exchange: "", routingKey: queue, body: queue, properties: {}, mandatory: true });
}

const OTHERWISE: Record<string, (queue: string, exchange: string) => Topology> = {
  queue: (queue) => ({ queues: [{ name: queue, arguments: { "x-max-length": 1 } }] }),
  exchange: (_queue, exchange) => ({ exchanges: [{ name: exchange, type: "fanout" }] }),
};

for (const [kind, otherwise] of Object.entries(OTHERWISE)) {
  brokerTest(
    `${
      kind === "queue" ? "A queue" : "An exchange"
    } that was declared otherwise during an outage stops its consumer alone`,
    async (uri) => {
      await using proxy = await SeverableProxy.open(uri);
      const [queue, exchange, healthy] = names("a", "x", "b") as [string, string, string];
      const refused = Promise.withResolvers<Refused>();
      const regained = Promise.withResolvers<string>();
      let losses = 0;
      await using transport = amqp(proxy.uri, {
        retryStep: 20,
        onStatus(status) {
          if (status.state === "refused") refused.resolve(status);
          if (status.state === "regained") regained.resolve(status.queue);
          if (status.state === "lost") losses++;
        },
      });
      await using other = amqp(uri);
      await Promise.all([transport.connect(), other.connect()]);
      await transport.declare({
        exchanges: [{ name: exchange, type: "topic", autoDelete: true }],
        queues: [{ name: queue }, { name: healthy }],
        bindings: [{ exchange, queue, routingKey: "#" }],
      });
      const inbox = new Inbox();
      for (const each of [queue, healthy]) await transport.consume(each, inbox.receiver, { prefetch: 1 });
      proxy.down = true;
      await proxy.sever();
      // The exchange goes with its last binding.
      await other.deleteQueue(queue);
      await other.declare(otherwise(queue, exchange));
      proxy.down = false;
      assert.equal((await refused.promise).queue, queue);
      await send(transport, healthy);
      assert.equal(await inbox.text(), healthy);
      assert.equal(transport.isConsuming?.(), false);
      const before = losses;
      if (kind === "queue") await other.deleteQueue(queue);
      else {
        const [last] = names("last") as [string];
        await other.declare({ queues: [{ name: last, exclusive: true }] });
        await deleteExchange(uri, exchange);
      }
      assert.equal(await regained.promise, queue);
      await send(transport, queue);
      assert.equal(await inbox.text(), queue);
      assert.equal(transport.isConsuming?.(), true);
      assert.equal(losses, before);
      for (const each of [queue, healthy]) await transport.deleteQueue(each);
    },
  );
}

brokerTest("A queue that is declared anew with other properties stops its consumer alone", async (uri) => {
  const [queue, healthy] = names("a", "b") as [string, string];
  const statuses: string[] = [];
  const refused = Promise.withResolvers<Refused>();
  const regained = Promise.withResolvers<void>();
  await using transport = amqp(uri, {
    retryStart: 1_000,
    onStatus(status) {
      statuses.push(status.state);
      if (status.state === "refused") refused.resolve(status);
      if (status.state === "regained") regained.resolve();
    },
  });
  await using other = amqp(uri);
  await Promise.all([transport.connect(), other.connect()]);
  await transport.declare({ queues: [{ name: queue }, { name: healthy }] });
  const inbox = new Inbox();
  const consumer = await transport.consume(queue, inbox.receiver, { prefetch: 1 });
  await transport.consume(healthy, inbox.receiver, { prefetch: 1 });
  // The consumer mends its queue at once the first time, and waits the second time, so that another comes first.
  await other.deleteQueue(queue);
  await regained.promise;
  await other.deleteQueue(queue);
  await other.declare({ queues: [{ name: queue, arguments: { "x-max-length": 1 } }] });
  assert.match((await refused.promise).reason, /PRECONDITION_FAILED/);
  await send(transport, healthy);
  assert.equal(await inbox.text(), healthy);
  assert.equal(statuses.includes("lost"), false);
  await consumer.stop();
  assert.equal(transport.isConsuming?.(), true);
  for (const each of [queue, healthy]) await transport.deleteQueue(each);
});

brokerTest("Transport.declare() fails if the broker closes each connection for it", async (uri) => {
  await using proxy = await FrameProxy.open(uri);
  await using transport = amqp(proxy.uri, { retryStep: 20 });
  await transport.connect();
  const [poison, queue] = names("poison", "b") as [string, string];
  await transport.declare({ queues: [{ name: queue, durable: false }] });
  const inbox = new Inbox();
  await transport.consume(queue, inbox.receiver, { prefetch: 1 });
  proxy.interfere = (frame) =>
    !frame.fromBroker && frame.is(METHODS.queueDeclare) && frame.bytes.includes(poison)
      ? connectionClose(541, "INTERNAL_ERROR")
      : undefined;
  await assert.rejects(
    transport.declare({ queues: [{ name: poison }] }),
    new RegExp(`^BrokerError: Cannot declare queue "${poison}": INTERNAL_ERROR`),
  );
  await send(transport, queue);
  assert.equal(await inbox.text(), queue);
  assert.equal(proxy.connections, 3);
  await transport.deleteQueue(queue);
});

brokerTest("A queue for which the broker closes each new connection is given up alone", async (uri) => {
  await using proxy = await FrameProxy.open(uri);
  const refused = Promise.withResolvers<Refused>();
  await using transport = amqp(proxy.uri, {
    retryStep: 20,
    onStatus: (status) => status.state === "refused" && refused.resolve(status),
  });
  await transport.connect();
  const [poison, queue] = names("poison", "b") as [string, string];
  const inbox = new Inbox();
  await transport.declare({ queues: [{ name: poison, durable: false }, { name: queue, durable: false }] });
  for (const each of [poison, queue]) await transport.consume(each, inbox.receiver, { prefetch: 1 });
  proxy.interfere = (frame) =>
    !frame.fromBroker && frame.is(METHODS.queueDeclare) && frame.bytes.includes(poison)
      ? connectionClose(541, "INTERNAL_ERROR")
      : undefined;
  proxy.sever();
  const { retryIn, ...status } = await refused.promise;
  assert.deepEqual([status.queue, retryIn], [poison, undefined]);
  await send(transport, queue);
  assert.equal(await inbox.text(), queue);
  assert.equal(proxy.connections, 5);
  await transport.deleteQueue(queue);
  await transport.deleteQueue(poison);
});

async function deleteExchange(uri: string, exchange: string): Promise<void> {
  const { connect } = await import("npm:amqplib@2.3.1");
  const connection = await connect(uri);
  const channel = await connection.createChannel();
  await channel.deleteExchange(exchange);
  await connection.close();
}
