import assert from "node:assert/strict";
import { BrokerError } from "../errors.ts";
import { type Law, letter } from "./stage.ts";

export function endingLaws(law: Law): void {
  const exclusive = law.needing("exclusive consumers");

  law("Consumer.cancel() ends the intake", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await inbox.consumer?.cancel();
    await stage.send(transport, queue, "for another");
    assert.equal(await (await stage.inbox(transport, queue)).text(), "for another");
    assert.equal(inbox.waiting, 0);
  });

  law("Consumer.cancel() keeps the verdicts of open deliveries valid", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const inbox = await stage.inbox(one, queue);
    await stage.send(one, queue, "late ack");
    const held = await inbox.next();
    await inbox.consumer?.cancel();
    held.settle("ack");
    await inbox.consumer?.stop();
    await one.close();
    await stage.send(other, queue, "next");
    assert.equal(await (await stage.inbox(other, queue)).text(), "next");
  });

  law("The signal of a delivery aborts at the end of its transport, and not of the intake", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "open");
    const { delivery: { signal } } = await inbox.next();
    await inbox.consumer?.cancel();
    assert.equal(signal.aborted, false);
    await transport.close();
    assert.equal(signal.aborted, true);
  });

  law("Consumer.cancel() leaves it possible to requeue an open delivery", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "back");
    const held = await inbox.next();
    await inbox.consumer?.cancel();
    const another = await stage.inbox(transport, queue);
    held.settle("requeue");
    const again = await another.next();
    again.settle("ack");
    assert.deepEqual([again.text, again.delivery.redelivered], ["back", true]);
  });

  law("Consumer.stop() waits until every open delivery has its verdict", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "slow");
    const held = await inbox.next();
    let stopped = false;
    const stopping = inbox.consumer?.stop().then(() => stopped = true);
    // Several round trips to the broker later, it still waits
    for (let trip = 0; trip < 3; trip++) await transport.declare({ queues: [{ name: queue }] });
    assert.equal(stopped, false);
    held.settle("ack");
    await stopping;
    assert.equal(stopped, true);
  });

  law("Consumer.stop() resolves when the broker knows the verdicts", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const inbox = await stage.inbox(one, queue);
    await stage.send(one, queue, "1", "2");
    const held = [await inbox.next(), await inbox.next()];
    const stopping = inbox.consumer?.stop();
    for (const each of held) each.settle("ack");
    await stopping;
    await one.close();
    await stage.send(other, queue, "3");
    assert.equal(await (await stage.inbox(other, queue)).text(), "3");
  });

  law("Consumer.stop() may be called again", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const { consumer } = await stage.inbox(transport, queue);
    await Promise.all([consumer?.stop(), consumer?.stop()]);
    await consumer?.cancel();
    await consumer?.[Symbol.asyncDispose]();
  });

  law("Consumer.stop() resolves when its queue was deleted", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const { consumer } = await stage.inbox(transport, queue);
    await transport.deleteQueue(queue);
    await consumer?.stop();
  });

  law("Consumer.stop() resolves on a closed transport", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "open for ever");
    await inbox.next();
    await transport.close();
    await inbox.consumer?.stop();
  });

  exclusive("Consumer.stop() gives an exclusive queue's place to another", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const options = { prefetch: 1, exclusive: true };
    const first = await transport.consume(queue, () => Promise.resolve("ack"), options);
    await first.stop();
    await transport.consume(queue, () => Promise.resolve("ack"), options);
  });

  law(
    "Transport.close() returns deliveries without a verdict, in order, for another consumer",
    async (stage) => {
      const [one, other] = [await stage.transport(), await stage.transport()];
      const queue = await stage.queue(one);
      const inbox = await stage.inbox(one, queue, 3);
      await stage.send(one, queue, "1", "2", "3", "4");
      for (let taken = 0; taken < 3; taken++) await inbox.next();
      await one.close();
      const heir = await stage.inbox(other, queue, 1);
      const seen: [string, boolean][] = [];
      while (seen.length < 4) {
        const held = await heir.next();
        seen.push([held.text, held.delivery.redelivered]);
        held.settle("ack");
      }
      // The broker may offer what it still had before it has the others back
      assert.deepEqual(seen.filter(([text]) => text !== "4"), [["1", true], ["2", true], ["3", true]]);
    },
  );

  law("Transport.close() voids later verdicts", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const inbox = await stage.inbox(one, queue);
    await stage.send(one, queue, "returned");
    const held = await inbox.next();
    await one.close();
    held.settle("ack");
    assert.equal(await (await stage.inbox(other, queue)).text(), "returned");
  });

  law("Transport.close() confirms what was published before", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const published = stage.send(one, queue, "1", "2", "3");
    await one.close();
    await published;
    assert.deepEqual(await (await stage.inbox(other, queue)).texts(3), ["1", "2", "3"]);
  });

  law("Transport.close() sends what was published before and needs no confirm", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const published = Promise.all(
      ["1", "2", "3"].map((text) => one.publish(letter(queue, text), { confirmed: false })),
    );
    await one.close();
    await published;
    assert.deepEqual(await (await stage.inbox(other, queue)).texts(3), ["1", "2", "3"]);
  });

  law("Transport.close() may be called again", async (stage) => {
    const transport = await stage.transport();
    await Promise.all([transport.close(), transport.close()]);
    await transport.close();
    await transport[Symbol.asyncDispose]();
  });

  law("Transport.close() refuses what comes after", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await transport.close();
    await assert.rejects(transport.declare({ queues: [{ name: queue }] }), BrokerError);
    await assert.rejects(
      transport.consume(queue, () => Promise.resolve("ack"), { prefetch: 1 }),
      BrokerError,
    );
  });
}
