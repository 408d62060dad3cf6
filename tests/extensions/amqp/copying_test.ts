import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { amqp } from "../../../extensions/amqp/mod.ts";
import {
  bury,
  deadLetterQueueOf,
  type Outbox,
  replay,
  retryLater,
} from "../../../runtime/hosting/message_fate.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import { setWireFields, wireFieldsOf } from "../../../runtime/message/field_table.ts";
import type { FieldTable, MessageProperties } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../../fixtures/broker.ts";

/** The bytes of a field. */
function field(name: string, tag: string, hex: string): Buffer {
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name + tag), Buffer.from(hex, "hex")]);
}

/** A header table that goes out with these fields, byte for byte. */
function table(...fields: readonly Buffer[]): FieldTable {
  const headers = {};
  setWireFields(headers, new Map(fields.map((bytes, index) => [`${index}`, { value: undefined, bytes }])));
  return headers;
}

/** A queue with its dead-letter queue, both of which go at the end. */
async function stage(uri: string) {
  const transport = amqp(uri);
  await transport.connect();
  const queue = `enoki-test-${crypto.randomUUID()}`;
  await transport.declare({ queues: [{ name: queue, arguments: { "x-expires": 60_000 } }] });
  const lines: string[] = [];
  const outbox: Outbox = {
    transport,
    queue,
    temporary: true,
    signal: new AbortController().signal,
    log: createLog({ emit: ({ message }) => lines.push(message) }),
  };
  const inbox = new Inbox();
  inbox.consumer = await transport.consume(queue, inbox.receiver, { prefetch: 10 });
  const send = (properties: MessageProperties) =>
    transport.publish({ exchange: "", routingKey: queue, body: "body", mandatory: true, properties });
  const next = async (from = inbox) => {
    const { delivery, settle } = await from.next();
    settle("ack");
    return delivery;
  };
  const nextDead = async () => {
    const dead = new Inbox();
    const consumer = await transport.consume(deadLetterQueueOf(queue), dead.receiver, { prefetch: 1 });
    const delivery = await next(dead);
    await consumer.stop();
    return { ...delivery, signal: new AbortController().signal };
  };
  return {
    transport,
    outbox,
    lines,
    send,
    next,
    nextDead,
    async [Symbol.asyncDispose]() {
      await inbox.consumer!.stop();
      await transport.deleteQueue(queue);
      await transport.deleteQueue(deadLetterQueueOf(queue));
      await transport.close();
    },
  };
}

const FAILURE = describeFailure(new Error("boom"));

brokerTest("header values of every type survive a retry, a burial and a replay", async (uri) => {
  await using place = await stage(uri);
  const fields = [
    field("bytes", "x", "0000000400fffe80"),
    field("binary", "S", "00000003ff80fe"),
    field("time", "T", "000000006553f100"),
    field("decimal", "D", "0200003039"),
    field("big", "l", "1000000000000001"),
    field("float", "f", "3dcccccd"),
    field("whole", "d", "4014000000000000"),
    field("byte", "b", "fb"),
    field("short", "s", "03e8"),
    field("inner", "F", "0000000e" + "0474696d65" + "54" + "000000006553f100"),
    field("plain", "S", "0000000161"),
  ];
  await place.send({ headers: table(...fields), expiration: "60000", deliveryMode: 1 });
  await retryLater(place.outbox, await place.next(), 1);
  await bury(place.outbox, await place.next(), "undecodable", FAILURE);
  await replay(place.outbox, await place.nextDead());
  const { properties } = await place.next();
  const arrived = wireFieldsOf(properties.headers!)!;
  const { bytes, time, inner } = properties.headers!;
  const when = new Date(1_700_000_000_000);
  assert.deepEqual([bytes, time, inner], [new Uint8Array([0, 255, 254, 128]), when, { time: when }]);
  const kept = fields.filter((bytes) => !/^.(?:bytes|time|inner|plain)/.test(bytes.toString("latin1")));
  for (const bytes of kept) {
    const name = bytes.subarray(1, 1 + bytes[0]!).toString();
    assert.equal(Buffer.from(arrived.get(name)!.bytes).toString("hex"), bytes.toString("hex"), name);
  }
  assert.equal(properties.headers!["plain"], "a");
  assert.deepEqual([properties.expiration, properties.deliveryMode], ["60000", 1]);
  assert.deepEqual(place.lines, []);
});

brokerTest("a message whose header is nested thousands deep arrives without the header", async (uri) => {
  await using place = await stage(uri);
  for (const tag of ["F", "A"]) {
    let inner = Buffer.alloc(0);
    for (let level = 0; level < 6_000; level++) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(inner.length);
      inner = Buffer.concat([
        Buffer.from(tag === "F" || level === 5_999 ? `\x01k${tag}` : tag),
        length,
        inner,
      ]);
    }
    await place.send({ headers: table(inner), messageId: tag });
    const { properties } = await place.next();
    assert.deepEqual([properties.headers, properties.messageId], [{}, tag]);
  }
});

brokerTest("a header that is larger than a copy can carry is left out of the copy alone", async (uri) => {
  await using place = await stage(uri);
  const value = "x".repeat(64_900);
  await place.send({ headers: { blob: value, small: 1 } });
  const delivery = await place.next();
  assert.equal(delivery.properties.headers!["blob"], value);
  await bury(place.outbox, { ...delivery, routingKey: "k".repeat(255) }, "retries used up", {
    ...FAILURE,
    message: "x".repeat(5_000),
  });
  const { headers = {} } = (await place.nextDead()).properties;
  assert.deepEqual([headers["blob"], headers["small"]], [undefined, 1]);
  assert.match(place.lines[0]!, /^Left header "blob" out of a copy of a message of queue /);
});

brokerTest("a publish or a declaration that no field table can carry fails alone", async (uri) => {
  await using place = await stage(uri);
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  for (const value of [NaN, Infinity, new Date(NaN), new Date(-1), cycle, 1n]) {
    const headers = { value } as FieldTable;
    await assert.rejects(place.send({ headers }), { name: "TypeError", message: /header "value"/ });
    const name = `enoki-test-${crypto.randomUUID()}`;
    const queues = [{ name, autoDelete: true, arguments: headers }];
    if (typeof value === "number") {
      await assert.rejects(place.transport.declare({ queues }), /header "value"/);
    }
  }
  await assert.rejects(
    place.transport.declare({ queues: [{ name: "x".repeat(256) }] }),
    /Cannot declare queue/,
  );
  await place.transport.declare({
    queues: [{ name: place.outbox.queue, arguments: { "x-expires": 60_000 } }],
  });
  await place.send({ messageId: "after" });
  assert.equal((await place.next()).properties.messageId, "after");
});
