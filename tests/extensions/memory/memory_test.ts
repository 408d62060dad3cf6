import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { Intake } from "../../../extensions/memory/intake.ts";
import { MemoryLink } from "../../../extensions/memory/memory_link.ts";
import { seal } from "../../../extensions/memory/sealed_message.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import type { FieldTable, Message, TransportStatus } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

function letter(routingKey: string, properties: Message["properties"] = {}): Message {
  return { exchange: "", routingKey, body: "text", properties, mandatory: true };
}

Deno.test("memory() has a broker of its own unless it is given one", async () => {
  await using one = memory();
  await using other = memory();
  await one.connect();
  await other.connect();
  await one.declare({ queues: [{ name: "same", durable: true }] });
  await other.declare({ queues: [{ name: "same", durable: false }] });
});

Deno.test("MemoryBroker keeps queues and messages while nobody is connected", async () => {
  const broker = new MemoryBroker();
  const first = memory({ broker });
  await first.connect();
  await first.declare({ queues: [{ name: "kept" }] });
  await first.publish(letter("kept"));
  await first.close();
  await using second = memory({ broker });
  await second.connect();
  const inbox = new Inbox();
  await second.consume("kept", inbox.receiver, { prefetch: 1 });
  assert.equal(await inbox.text(), "text");
});

Deno.test("MemoryBroker lets no deadline keep the process alive", async () => {
  const door = new URL("../../../extensions/memory/mod.ts", import.meta.url);
  const script = `
    import { memory } from ${JSON.stringify(door.href)};
    const transport = memory();
    await transport.connect();
    await transport.declare({ queues: [{ name: "q", arguments: { "x-expires": 3_600_000 } }] });
    await transport.publish({ exchange: "", routingKey: "q", body: "", properties: { expiration: "3600000" } });
  `;
  const signal = AbortSignal.timeout(20_000);
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["eval", script], signal }).output();
  assert.ok(success);
});

Deno.test("MemoryBroker lets a queue expire that fell due while nobody was connected", async () => {
  const broker = new MemoryBroker();
  const first = memory({ broker });
  await first.connect();
  await first.declare({ queues: [{ name: "q", arguments: { "x-expires": 1 } }] });
  await first.close();
  await using second = memory({ broker });
  await second.connect();
  let there = true;
  while (there) {
    there = await second.publish(letter("q")).then(() => true, () => false);
    await new Promise((resolve) => setTimeout(resolve));
  }
});

Deno.test("MemoryBroker delivers nothing that expired while the event loop was busy", async () => {
  await using transport = memory();
  await transport.connect();
  await transport.declare({ queues: [{ name: "q" }] });
  await transport.publish(letter("q", { expiration: "2", messageId: "stale" }));
  const end = performance.now() + 5;
  while (performance.now() < end);
  const inbox = new Inbox();
  await transport.consume("q", inbox.receiver, { prefetch: 1 });
  await transport.publish(letter("q", { messageId: "fresh" }));
  assert.equal((await inbox.next()).delivery.properties.messageId, "fresh");
});

Deno.test("Consumer.cancel() of memory() gives back what no receiver has seen, unmarked", async () => {
  await using transport = memory();
  await transport.connect();
  await transport.declare({ queues: [{ name: "q" }] });
  const [cancelled, heir] = [new Inbox(), new Inbox()];
  const consumer = await transport.consume("q", cancelled.receiver, { prefetch: 1 });
  await Promise.all([transport.publish(letter("q")), consumer.cancel()]);
  await transport.consume("q", heir.receiver, { prefetch: 1 });
  assert.equal((await heir.next()).delivery.redelivered, false);
  assert.equal(cancelled.waiting, 0);
});

Deno.test("memory() reports its connection", async () => {
  const statuses: TransportStatus[] = [];
  await using transport = memory({ onStatus: (status) => statuses.push(status) });
  await transport.connect();
  assert.deepEqual(statuses, [{ state: "connected", broker: "memory:" }]);
});

Deno.test("Transport.publish() of memory() fails before connect()", async () => {
  await using transport = memory();
  await assert.rejects(transport.publish(letter("q")), BrokerError);
});

for (
  const [name, value] of [["NaN", NaN], ["a date before 1970", new Date(-1)], ["a function", () => {}], [
    "a bigint",
    1n,
  ]]
) {
  Deno.test(`Transport.publish() of memory() refuses ${name} in a header`, async () => {
    await using transport = memory();
    await transport.connect();
    await transport.declare({ queues: [{ name: "q" }] });
    // A cast, for the compiler knows better already
    const headers = { list: [value] } as unknown as FieldTable;
    await assert.rejects(transport.publish(letter("q", { headers })), TypeError);
  });
}

Deno.test("Transport.publish() of memory() refuses an expiration that is no number", async () => {
  await using transport = memory();
  await transport.connect();
  await assert.rejects(transport.publish(letter("q", { expiration: "soon" })), BrokerError);
});

for (
  const table of [
    { "x-message-ttl": "60" },
    { "x-expires": 0 },
    { "x-max-priority": 256 },
    { "x-dead-letter-routing-key": "alone" },
    { "x-overflow": "reject-publish" },
    { "x-queue-type": "log" },
    { "x-queue-type": "stream", "x-message-ttl": 1 },
    { "x-queue-type": "stream", "x-max-age": "1w" },
    { "x-max-length-bytes": 1 },
    { "x-delivery-limit": 1 },
    { "x-queue-type": "quorum", "x-delivery-limit": -1 },
  ] satisfies FieldTable[]
) {
  Deno.test(`Transport.declare() of memory() refuses ${JSON.stringify(table)}`, async () => {
    await using transport = memory();
    await transport.connect();
    await assert.rejects(transport.declare({ queues: [{ name: "q", arguments: table }] }), BrokerError);
  });
}

Deno.test("Intake.resume() reads a stream of another broker from its first record on", async () => {
  const links = [new MemoryLink(new MemoryBroker()), new MemoryLink(new MemoryBroker())] as const;
  const inbox = new Inbox();
  const intake = new Intake("log", inbox.receiver, { prefetch: 1, offset: "next" }, new Set());
  for (const link of links) {
    link.declare({ queues: [{ name: "log", arguments: { "x-queue-type": "stream" } }] });
    link.publish(seal({ exchange: "", routingKey: "log", body: "before", properties: {} }));
    await intake.resume(link);
  }
  assert.equal(await inbox.text(), "before");
  for (const link of links) link.close();
});

Deno.test("A stream of a MemoryBroker drops its oldest records beyond its bytes, and never its last", async () => {
  await using transport = memory();
  await transport.connect();
  const table = { "x-queue-type": "stream", "x-max-length-bytes": 10 };
  await transport.declare({ queues: [{ name: "log", arguments: table }] });
  const first = async () => {
    const inbox = new Inbox();
    await using _consumer = await transport.consume("log", inbox.receiver, { prefetch: 1, offset: "first" });
    const { text, delivery, settle } = await inbox.next();
    settle("ack");
    return [text, delivery.offset];
  };
  for (const body of ["12345", "67890", "abcde"]) {
    await transport.publish({ exchange: "", routingKey: "log", body, properties: {} });
  }
  assert.deepEqual(await first(), ["67890", 1]);
  await transport.publish({ exchange: "", routingKey: "log", body: "more than ten bytes", properties: {} });
  assert.deepEqual(await first(), ["more than ten bytes", 3]);
});
