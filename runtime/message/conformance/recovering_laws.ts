import assert from "node:assert/strict";
import type { Consumer } from "../transport.ts";
import { Inbox } from "./inbox.ts";
import { type Law, letter, watched } from "./stage.ts";

export function recoveringLaws(law: Law): void {
  const exclusive = law.needing("exclusive queues", "topic patterns");

  law("A transport resumes its consumers after the loss of its connection", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.sever();
    await recovered;
    await stage.send(transport, queue, "after");
    assert.equal(await inbox.text(), "after");
  });

  exclusive("A transport declares again after the loss of its connection", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const exchange = await stage.exchange(transport, "topic");
    const queue = stage.queueName();
    await transport.declare({
      queues: [{ name: queue, durable: false, exclusive: true }],
      bindings: [{ queue, exchange, routingKey: "a.*" }],
    });
    await stage.sever();
    await recovered;
    await transport.publish({ exchange, routingKey: "a.b", body: "", properties: {}, mandatory: true });
  });

  law("A transport reports the loss of its connection, then its return", async (stage) => {
    const { statuses, recovered } = await watched(stage);
    await stage.sever();
    await recovered;
    const states = statuses.map((status) => status.state);
    assert.equal(states.at(-1), "connected");
    assert.equal(states[states.lastIndexOf("connected") - 1], "lost");
  });

  law("Transport.publish() waits an outage out", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    const severed = stage.sever();
    await recovered;
    await severed;
    // Each of these meets the old connection, the gap, or the new one; at least once means no more than that
    const wanted = Array.from({ length: 20 }, (_, index) => `${index}`);
    await stage.send(transport, queue, ...wanted);
    const seen = new Set<string>();
    while (seen.size < wanted.length) seen.add(await inbox.text());
  });

  law("Transport.publish() under way at the loss is sent again", async (stage) => {
    const { transport } = await watched(stage);
    const queue = await stage.queue(transport);
    const severed = stage.sever();
    await Promise.all(Array.from({ length: 50 }, (_, index) => transport.publish(letter(queue, `${index}`))));
    await severed;
  });

  law("A verdict on a delivery of a lost connection is void", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "before");
    const held = await inbox.next();
    await stage.sever();
    await recovered;
    held.settle("ack");
    await stage.send(transport, queue, "after");
    while (await inbox.text() !== "after");
  });

  law("The signal of a delivery aborts with the loss of its connection", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "before");
    const { delivery: { signal } } = await inbox.next();
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve());
    assert.equal(signal.aborted, false);
    await stage.sever();
    await aborted;
    await recovered;
    await stage.send(transport, queue, "after");
    for (let text = ""; text !== "after";) {
      const held = await inbox.next();
      assert.equal(held.delivery.signal.aborted, false);
      text = held.text;
      held.settle("ack");
    }
  });

  law("A consumer that was cancelled is not resumed", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const cancelled = await stage.inbox(transport, queue);
    await cancelled.consumer?.cancel();
    await stage.sever();
    await recovered;
    const inbox = await stage.inbox(transport, queue, 1);
    await stage.send(transport, queue, "1", "2");
    assert.deepEqual(await inbox.texts(2), ["1", "2"]);
    assert.equal(cancelled.waiting, 0);
  });

  law("A consumer is told of the loss of its connection, and resumes", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const inbox = new Inbox();
    const { promise: interrupted, resolve: onInterrupted } = Promise.withResolvers<void>();
    await transport.consume(queue, inbox.receiver, { prefetch: 1, onInterrupted });
    await stage.sever();
    await interrupted;
    await recovered;
    await stage.send(transport, queue, "after");
    assert.equal(await inbox.text(), "after");
  });

  law("A consumer that is cancelled when it is told of the loss is not resumed", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const cancelled = new Inbox();
    const consumer: Consumer = await transport.consume(queue, cancelled.receiver, {
      prefetch: 1,
      onInterrupted: () => void consumer.cancel(),
    });
    await stage.sever();
    await recovered;
    const inbox = await stage.inbox(transport, queue, 1);
    await stage.send(transport, queue, "1", "2");
    assert.deepEqual(await inbox.texts(2), ["1", "2"]);
    assert.equal(cancelled.waiting, 0);
  });

  law(
    "A message of a consumer with noAck does not come again after the loss of its connection",
    async (stage) => {
      const { transport, recovered } = await watched(stage);
      const queue = await stage.queue(transport);
      const inbox = new Inbox();
      await transport.consume(queue, inbox.receiver, { prefetch: 2, noAck: true });
      await stage.send(transport, queue, "under way");
      const held = await inbox.next();
      await stage.sever();
      await recovered;
      await stage.send(transport, queue, "next");
      assert.equal(await inbox.text(), "next");
      held.settle("ack");
      await stage.send(transport, queue, "last");
      assert.equal(await inbox.text(), "last");
    },
  );

  law("A consumer that was cancelled, or whose transport is closed, is told of no loss", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    const told: string[] = [];
    const consume = (name: string) =>
      transport.consume(queue, () => Promise.resolve("ack"), {
        prefetch: 1,
        onInterrupted: () => void told.push(name),
      });
    await (await consume("cancelled")).cancel();
    await (await consume("stopped")).stop();
    await stage.sever();
    await recovered;
    await consume("closed");
    await transport.close();
    assert.deepEqual(told, []);
  });

  law("A queue that was deleted is not declared again", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const queue = await stage.queue(transport);
    await transport.deleteQueue(queue);
    await stage.sever();
    await recovered;
    await stage.gone(transport, queue);
  });
}
