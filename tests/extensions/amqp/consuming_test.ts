import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import type { Transport, TransportStatus, Verdict } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";

async function connected(uri: string): Promise<Transport> {
  const transport = amqp(uri);
  await transport.connect();
  return transport;
}

async function send(transport: Transport, queue: string, count: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: count },
      (_, index) => transport.publish({ exchange: "", routingKey: queue, body: `${index}`, properties: {} }),
    ),
  );
}

function newName(): string {
  return `enoki-test-${crypto.randomUUID()}`;
}

brokerTest("A burst of verdicts in any order leaves exactly the requeued messages", async (uri) => {
  await using transport = await connected(uri);
  const queue = newName();
  await transport.declare({ queues: [{ name: queue, durable: false, exclusive: true }] });
  await send(transport, queue, 300);

  const verdicts: ((verdict: Verdict) => void)[] = [];
  const all = Promise.withResolvers<void>();
  const first = await transport.consume(queue, () => {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    if (verdicts.push(resolve) === 300) all.resolve();
    return promise;
  }, { prefetch: 300 });
  await all.promise;
  await first.cancel();
  for (let step = 0; step < 300; step++) {
    const index = (step * 7) % 300;
    verdicts[index]!(index % 50 === 0 ? "requeue" : index % 50 === 1 ? "reject" : "ack");
    if (step % 40 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await first.stop();

  await send(transport, queue, 1);
  const left: string[] = [];
  const end = Promise.withResolvers<void>();
  await transport.consume(queue, (delivery) => {
    left.push(new TextDecoder().decode(delivery.body));
    if (!delivery.redelivered) end.resolve();
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  await end.promise;
  assert.deepEqual(left, ["0", "50", "100", "150", "200", "250", "0"]);
});

brokerTest("A consumer whose queue somebody deleted gets it back, and this is reported", async (uri) => {
  const statuses: TransportStatus[] = [];
  const regained = Promise.withResolvers<void>();
  await using transport = amqp(uri, {
    onStatus(status) {
      statuses.push(status);
      if (status.state === "regained") regained.resolve();
    },
  });
  await transport.connect();
  await using other = await connected(uri);
  const queue = newName();
  await transport.declare({ queues: [{ name: queue }] });
  const arrived = Promise.withResolvers<void>();
  await transport.consume(queue, () => {
    arrived.resolve();
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  await other.deleteQueue(queue);
  for (let taken = false; !taken;) {
    const message = { exchange: "", routingKey: queue, body: "", properties: {}, mandatory: true };
    taken = await other.publish(message).then(() => true, () => false);
  }
  await Promise.all([arrived.promise, regained.promise]);
  assert.deepEqual(statuses.slice(1), [
    { state: "interrupted", broker: transport.broker, queue, reason: "the queue was deleted" },
    { state: "regained", broker: transport.broker, queue },
  ]);
  await transport.deleteQueue(queue);
});

brokerTest("Consumer.setPrefetch() works for an exclusive consumer", async (uri) => {
  await using transport = await connected(uri);
  const queue = newName();
  await transport.declare({ queues: [{ name: queue, durable: false, exclusive: true }] });
  const three = Promise.withResolvers<void>();
  let arrived = 0;
  const consumer = await transport.consume(queue, () => {
    if (++arrived === 3) three.resolve();
    return three.promise.then(() => "ack");
  }, { prefetch: 1, exclusive: true });
  await send(transport, queue, 3);
  await consumer.setPrefetch(5);
  await three.promise;
  await consumer.stop();
});

brokerTest("A delivery's headers hold what a peer sent as a signed 64-bit integer", async (uri) => {
  await using transport = await connected(uri);
  const queue = newName();
  await transport.declare({ queues: [{ name: queue, durable: false, exclusive: true }] });
  const headers = { within: 2 ** 31, below: -(2 ** 40), beyond: 2 ** 62 };
  await transport.publish({ exchange: "", routingKey: queue, body: "", properties: { headers } });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  await transport.consume(queue, (delivery) => {
    resolve(delivery.properties.headers);
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  assert.deepEqual(await promise, { within: 2 ** 31, below: -(2 ** 40), beyond: "4611686018427387904" });
});
