import assert from "node:assert/strict";
import { BrokerError, UnroutableError } from "../errors.ts";
import { type Law, letter } from "./stage.ts";

export function declaringLaws(law: Law): void {
  const exclusive = law.needing("exclusive queues");
  const expiring = law.needing("message expiry");
  const rich = law.needing("message expiry", "topic patterns");
  const autoDelete = law.needing("auto-delete queues");

  law("Transport.declare() makes exchanges, queues and bindings in that order", async (stage) => {
    const transport = await stage.transport();
    const [exchange, queue] = [stage.exchangeName(), stage.queueName()];
    await transport.declare({
      bindings: [{ queue, exchange, routingKey: "key" }],
      queues: [{ name: queue }],
      exchanges: [{ name: exchange, type: "direct", autoDelete: true }],
    });
    await transport.publish({ exchange, routingKey: "key", body: "", properties: {}, mandatory: true });
  });

  rich(
    "Transport.declare() accepts the same declaration again, also from another transport",
    async (stage) => {
      const [one, other] = [await stage.transport(), await stage.transport()];
      const [exchange, queue] = [stage.exchangeName(), stage.queueName()];
      const topology = {
        exchanges: [{ name: exchange, type: "topic", autoDelete: true }],
        queues: [{ name: queue, arguments: { "x-message-ttl": 60_000 } }],
        bindings: [{ queue, exchange, routingKey: "#" }],
      } as const;
      await one.declare(topology);
      await one.declare(topology);
      await other.declare(topology);
    },
  );

  law("Transport.declare() keeps the messages of a queue that is declared again", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    await stage.send(one, queue, "kept");
    await other.declare({ queues: [{ name: queue }] });
    assert.equal(await (await stage.inbox(other, queue)).text(), "kept");
  });

  law("Transport.declare() refuses a queue that is there with another durability", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    await assert.rejects(other.declare({ queues: [{ name: queue, durable: false }] }), BrokerError);
  });

  autoDelete("Transport.declare() refuses a queue that is there with another autoDelete", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    await assert.rejects(other.declare({ queues: [{ name: queue, autoDelete: true }] }), BrokerError);
  });

  expiring("Transport.declare() refuses a queue that is there with other arguments", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { arguments: { "x-message-ttl": 60_000 } });
    await assert.rejects(
      other.declare({ queues: [{ name: queue, arguments: { "x-message-ttl": 30_000 } }] }),
      BrokerError,
    );
  });

  law("Transport.declare() refuses an exchange that is there with another type", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const name = await stage.exchange(one, "direct");
    await assert.rejects(
      other.declare({ exchanges: [{ name, type: "topic", autoDelete: true }] }),
      BrokerError,
    );
  });

  exclusive("Transport.declare() refuses an exclusive queue of another transport", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { durable: false, exclusive: true });
    await assert.rejects(
      other.declare({ queues: [{ name: queue, durable: false, exclusive: true }] }),
      BrokerError,
    );
  });

  law("Transport.declare() refuses a binding to a missing exchange", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const binding = { queue, exchange: stage.name("missing"), routingKey: "key" };
    await assert.rejects(transport.declare({ bindings: [binding] }), BrokerError);
  });

  law("Transport.declare() refuses a binding of a missing queue", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "direct");
    const binding = { queue: stage.name("missing"), exchange, routingKey: "key" };
    await assert.rejects(transport.declare({ bindings: [binding] }), BrokerError);
  });

  law("Transport.declare() leaves the transport working after a refusal", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await assert.rejects(transport.declare({ queues: [{ name: queue, durable: false }] }), BrokerError);
    await transport.declare({ queues: [{ name: queue }] });
    await stage.send(transport, queue, "still here");
    assert.equal(await inbox.text(), "still here");
  });

  law("Transport.deleteQueue() accepts a queue that is not there", async (stage) => {
    const transport = await stage.transport();
    await transport.deleteQueue(stage.name("missing"));
  });

  law("Transport.deleteQueue() removes the queue and its bindings", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "direct");
    const kept = await stage.boundQueue(transport, exchange, "kept");
    const queue = await stage.boundQueue(transport, exchange, "key");
    await transport.deleteQueue(queue);
    const message = { exchange, routingKey: "key", body: "", properties: {}, mandatory: true };
    await assert.rejects(transport.publish(message), UnroutableError);
    await assert.rejects(transport.publish({ ...letter(queue, ""), mandatory: true }), UnroutableError);
    await transport.publish({ ...letter(kept, ""), mandatory: true });
  });

  law("Transport.deleteQueue() removes the messages", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await stage.send(transport, queue, "old");
    await transport.deleteQueue(queue);
    await transport.declare({ queues: [{ name: queue }] });
    await stage.send(transport, queue, "new");
    assert.equal(await (await stage.inbox(transport, queue)).text(), "new");
  });

  law("Transport.deleteQueue() allows the name another declaration", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await transport.deleteQueue(queue);
    await transport.declare({ queues: [{ name: queue, durable: false }] });
  });
}
