import assert from "node:assert/strict";
import { BrokerError } from "../errors.ts";
import type { Law } from "./stage.ts";

export function countingLaws(law: Law): void {
  const exclusive = law.needing("exclusive queues");

  law("Transport.countMessages() counts what waits in a queue", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    assert.equal(await transport.countMessages(queue), 0);
    await stage.send(transport, queue, "one", "two", "three");
    assert.equal(await transport.countMessages(queue), 3);
  });

  law(
    "Transport.countMessages() is undefined for a queue that is not there, and goes on working",
    async (stage) => {
      const transport = await stage.transport();
      assert.equal(await transport.countMessages(stage.name("missing")), undefined);
      assert.equal(await transport.countMessages(await stage.queue(transport)), 0);
    },
  );

  law("Transport.countMessages() leaves out what consumers hold", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await stage.send(transport, queue, "held", "waiting", "waiting");
    const inbox = await stage.inbox(transport, queue, 1);
    const held = await inbox.next();
    assert.equal(await transport.countMessages(queue), 2);
    await inbox.consumer!.cancel();
    held.settle("ack");
  });

  law("Transport.countConsumers() counts the consumers of a queue", async (stage) => {
    const transport = await stage.transport();
    if (transport.countConsumers === undefined) return;
    assert.equal(await transport.countConsumers(stage.name("missing")), undefined);
    const queue = await stage.queue(transport);
    assert.equal(await transport.countConsumers(queue), 0);
    await stage.inbox(transport, queue, 1);
    await stage.inbox(transport, queue, 1);
    assert.equal(await transport.countConsumers(queue), 2);
  });

  exclusive("Transport.countMessages() refuses an exclusive queue of another transport", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { durable: false, exclusive: true });
    await assert.rejects(other.countMessages(queue), BrokerError);
  });

  law(
    "Deliveries that go back after their consumer's end keep their order and their headers",
    async (stage) => {
      const transport = await stage.transport();
      const queue = await stage.queue(transport);
      for (const number of [1, 2, 3, 4, 5]) {
        await transport.publish({
          exchange: "",
          routingKey: queue,
          body: String(number),
          properties: { headers: { number } },
        });
      }
      const looking = await stage.inbox(transport, queue, 5);
      const held = [];
      while (held.length < 5) held.push(await looking.next());
      await looking.consumer!.cancel();
      for (const each of held) each.settle("requeue");
      await looking.consumer!.stop();
      const inbox = await stage.inbox(transport, queue, 5);
      const seen = [];
      while (seen.length < 5) {
        const { text, delivery, settle } = await inbox.next();
        seen.push([text, delivery.properties.headers]);
        settle("ack");
      }
      assert.deepEqual(seen, [1, 2, 3, 4, 5].map((number) => [String(number), { number }]));
    },
  );
}
