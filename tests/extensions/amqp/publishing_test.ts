import assert from "node:assert/strict";
import { Socket } from "node:net";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { BrokerError, UnroutableError } from "../../../runtime/message/errors.ts";
import type { Message, Transport } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";

async function connected(uri: string): Promise<Transport> {
  const transport = amqp(uri);
  await transport.connect();
  return transport;
}

/** Declares a queue that goes with the connection. */
async function ownQueue(transport: Transport): Promise<string> {
  const name = `enoki-test-${crypto.randomUUID()}`;
  await transport.declare({ queues: [{ name, durable: false, exclusive: true }] });
  return name;
}

function letter(routingKey: string, body: string, rest: Partial<Message> = {}): Message {
  return { exchange: "", routingKey, body, properties: {}, ...rest };
}

/** Collects the texts of a queue until `last` arrives. */
async function textsUntil(transport: Transport, queue: string, last: string): Promise<string[]> {
  const texts: string[] = [];
  const done = Promise.withResolvers<void>();
  const consumer = await transport.consume(queue, (delivery) => {
    texts.push(new TextDecoder().decode(delivery.body));
    if (texts.at(-1) === last) done.resolve();
    return Promise.resolve("ack");
  }, { prefetch: 100 });
  await done.promise;
  await consumer.stop();
  return texts;
}

brokerTest("Transport.publish() to a missing exchange fails alone among many", async (uri) => {
  await using transport = await connected(uri);
  const queue = await ownQueue(transport);
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, index) =>
    transport.publish(
      index % 10 === 5
        ? letter(queue, "lost", { exchange: "enoki-test-missing" })
        : letter(queue, `${index}`),
    )));
  for (const [index, outcome] of outcomes.entries()) {
    if (index % 10 !== 5) assert.equal(outcome.status, "fulfilled");
    else if (outcome.status === "rejected") {
      assert.match(`${outcome.reason}`, /no exchange 'enoki-test-missing'/);
    } else assert.fail(`publish ${index} resolved`);
  }
  await transport.publish(letter(queue, "last"));
  const texts = new Set(await textsUntil(transport, queue, "last"));
  assert.equal(texts.size, 27 + 1);
});

brokerTest("Transport.publish() to a missing exchange leaves a consumer undisturbed", async (uri) => {
  await using transport = await connected(uri);
  const queue = await ownQueue(transport);
  const open = Promise.withResolvers<"ack">();
  const seen: [string, boolean][] = [];
  const both = Promise.withResolvers<void>();
  await transport.consume(queue, (delivery) => {
    seen.push([new TextDecoder().decode(delivery.body), delivery.redelivered]);
    if (seen.length === 2) both.resolve();
    return open.promise;
  }, { prefetch: 2 });
  await transport.publish(letter(queue, "1"));
  await assert.rejects(transport.publish(letter("", "", { exchange: "enoki-test-missing" })), BrokerError);
  await transport.publish(letter(queue, "2"));
  await both.promise;
  open.resolve("ack");
  assert.deepEqual(seen, [["1", false], ["2", false]]);
});

brokerTest(
  "Transport.publish() tells the unroutable from the routable where only a header differs",
  async (uri) => {
    await using transport = await connected(uri);
    const queue = await ownQueue(transport);
    const exchange = `${queue}-exchange`;
    await transport.declare({
      exchanges: [{ name: exchange, type: "headers", autoDelete: true }],
      bindings: [{ queue, exchange, routingKey: "", arguments: { "x-match": "all", colour: "red" } }],
    });
    const outcomes = await Promise.allSettled(
      ["red", "blue", "red", "green"].map((colour) =>
        transport.publish({
          exchange,
          routingKey: "",
          body: "",
          properties: { headers: { colour } },
          mandatory: true,
        })
      ),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "rejected"],
    );
    assert.ok(outcomes[1]?.status === "rejected" && outcomes[1].reason instanceof UnroutableError);
  },
);

brokerTest("Transport.publish() rejects what cannot be encoded, and nothing else", async (uri) => {
  await using transport = await connected(uri);
  const queue = await ownQueue(transport);
  const outcomes = await Promise.allSettled([
    transport.publish(letter(queue, "1")),
    transport.publish(letter("x".repeat(256), "")),
    transport.publish(letter(queue, "", { properties: { headers: { large: "x".repeat(70_000) } } })),
    transport.publish(letter(queue, "2")),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "rejected", "fulfilled"]);
});

brokerTest("Transport.publish() rejects a message that the queue refuses", async (uri) => {
  await using transport = await connected(uri);
  const queue = `enoki-test-${crypto.randomUUID()}`;
  await transport.declare({
    queues: [{
      name: queue,
      durable: false,
      exclusive: true,
      arguments: { "x-max-length": 1, "x-overflow": "reject-publish" },
    }],
  });
  await transport.publish(letter(queue, "fits"));
  await assert.rejects(transport.publish(letter(queue, "too many")), /the broker did not take the message/);
});

brokerTest("Transport.publish() outlasts a burst larger than any buffer", async (uri) => {
  await using transport = await connected(uri);
  const queue = await ownQueue(transport);
  const body = "x".repeat(20_000);
  await Promise.all(Array.from({ length: 1_000 }, () => transport.publish(letter(queue, body))));
  await transport.publish(letter(queue, "last"));
  assert.equal((await textsUntil(transport, queue, "last")).length, 1_001);
});

brokerTest("Transport.publish() resolves without confirms too", async (uri) => {
  await using transport = amqp(uri, { confirms: false });
  await transport.connect();
  const queue = await ownQueue(transport);
  await transport.publish(letter(queue, "last"));
  assert.deepEqual(await textsUntil(transport, queue, "last"), ["last"]);
});

brokerTest("Transport.publish() hands a burst to the socket in one piece", async (uri) => {
  await using transport = await connected(uri);
  const queue = await ownQueue(transport);
  const { write } = Socket.prototype;
  let writes = 0;
  Socket.prototype.write = function (this: Socket, ...args: Parameters<Socket["write"]>) {
    writes++;
    return write.apply(this, args);
  } as Socket["write"];
  try {
    await Promise.all(Array.from({ length: 100 }, () => transport.publish(letter(queue, ""))));
  } finally {
    Socket.prototype.write = write;
  }
  assert.equal(writes, 1);
});
