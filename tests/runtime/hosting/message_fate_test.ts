import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import {
  attemptsOf,
  bury,
  deadLetterQueueOf,
  DEATH_HEADERS,
  lossesOf,
  offerAgain,
  originalHeaders,
  type Outbox,
  receivedMessage,
  replay,
  retryLater,
} from "../../../runtime/hosting/message_fate.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import type { Delivery, Message, QueueDeclaration, Transport } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

const FAILURE = describeFailure(new Error("boom"));

/** A queue on memory, and what the functions under test declared and published. */
async function stage() {
  const transport = memory({ broker: new MemoryBroker() });
  await transport.connect();
  await transport.declare({ queues: [{ name: "q" }] });
  const queues: QueueDeclaration[] = [];
  const published: Message[] = [];
  const watched: Transport = Object.assign(Object.create(transport) as Transport, {
    declare(topology: { readonly queues?: readonly QueueDeclaration[] }) {
      queues.push(...topology.queues ?? []);
      return transport.declare(topology);
    },
    publish(message: Message, options?: { readonly signal?: AbortSignal }) {
      published.push(message);
      return transport.publish(message, options);
    },
    countMessages: (queue: string) => transport.countMessages(queue),
    deleteQueue: (name: string) => transport.deleteQueue(name),
  });
  const outbox: Outbox = { transport: watched, queue: "q", signal: new AbortController().signal };
  const inboxOf = async (queue: string) => {
    const inbox = new Inbox();
    inbox.consumer = await transport.consume(queue, inbox.receiver, { prefetch: 10 });
    return inbox;
  };
  return { outbox, queues, published, inboxOf, [Symbol.asyncDispose]: () => transport.close() };
}

function delivery(
  properties: Delivery["properties"] = {},
  signal: AbortSignal = new AbortController().signal,
): Delivery {
  return {
    exchange: "orders.events",
    routingKey: "placed",
    body: new TextEncoder().encode("body"),
    properties,
    redelivered: false,
    signal,
  };
}

Deno.test("retryLater() puts a copy into a queue whose messages come back", async () => {
  await using place = await stage();
  const inbox = await place.inboxOf("q");
  await retryLater(place.outbox, delivery({ contentType: "text/plain", headers: { own: 1 } }), 20);
  assert.deepEqual(place.queues, [{
    name: "enoki.delay.20.q",
    arguments: {
      "x-message-ttl": 20,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": "q",
      "x-expires": 60_020,
    },
  }]);
  const { delivery: back, text, settle } = await inbox.next();
  settle("ack");
  assert.deepEqual([text, attemptsOf(back), lossesOf(back)], ["body", 1, 0]);
  assert.equal(back.properties.contentType, "text/plain");
  assert.deepEqual(originalHeaders(back), { own: 1 });
});

Deno.test("retryLater() rounds up to two digits, so that delay queues stay few", async () => {
  await using place = await stage();
  for (const delay of [0, 0.5, 7, 99, 101, 1_234, 59_999, 2 ** 31 - 1]) {
    await retryLater(place.outbox, delivery(), delay);
  }
  assert.deepEqual(
    place.queues.map(({ name }) => Number(name.split(".")[2])),
    [1, 1, 7, 99, 110, 1_300, 60_000, 2_200_000_000],
  );
});

Deno.test("a copy counts each attempt, and remembers where the message was first published to", async () => {
  await using place = await stage();
  const inbox = await place.inboxOf("q");
  let current = delivery();
  for (let attempt = 1; attempt <= 3; attempt++) {
    await retryLater(place.outbox, current, 1);
    const held = await inbox.next();
    held.settle("ack");
    current = held.delivery;
    assert.equal(attemptsOf(current), attempt);
  }
  await bury(place.outbox, current, "retries used up", FAILURE);
  const { delivery: dead } = await (await place.inboxOf(deadLetterQueueOf("q"))).next();
  const { headers = {} } = dead.properties;
  assert.equal(headers[DEATH_HEADERS.exchange], "orders.events");
  assert.equal(headers[DEATH_HEADERS.routingKey], "placed");
  assert.equal(headers[DEATH_HEADERS.attempts], 4);
  assert.equal(headers[DEATH_HEADERS.error], "Error: boom");
  assert.deepEqual(originalHeaders(dead), {});
});

Deno.test("a copy has no expiration, no user and no further recipients, and is persistent", async () => {
  await using place = await stage();
  const properties = { expiration: "10", userId: "guest", deliveryMode: 1, headers: { CC: ["x"] } } as const;
  await offerAgain(place.outbox, delivery(properties));
  const { expiration, userId, deliveryMode, headers } = place.published[0]!.properties;
  assert.deepEqual([expiration, userId, deliveryMode, headers?.["CC"]], [undefined, undefined, 2, undefined]);
});

Deno.test("replay() gives a message its expiration back, and its receiver sees it even before", async () => {
  await using place = await stage();
  await place.outbox.transport.declare({ queues: [{ name: deadLetterQueueOf("q") }] });
  const dead = await place.inboxOf(deadLetterQueueOf("q"));
  const inbox = await place.inboxOf("q");
  await retryLater(place.outbox, delivery({ expiration: "60000" }), 1);
  const again = await inbox.next();
  again.settle("ack");
  assert.equal(again.delivery.properties.expiration, undefined);
  assert.equal(receivedMessage(again.delivery).properties.expiration, "60000");
  await bury(place.outbox, again.delivery, "undecodable", FAILURE);
  const letter = await dead.next();
  letter.settle("ack");
  await replay(place.outbox, letter.delivery);
  assert.equal((await inbox.next()).delivery.properties.expiration, "60000");
});

Deno.test("headers of ours with values that we never write count as absent", async () => {
  await using place = await stage();
  for (const strange of [{ toString: 1 }, -5, 1e300, 0.5, "1", [1], null]) {
    const names = [
      "x-enoki-attempt",
      "x-enoki-lost",
      "x-enoki-lost-with-others",
      "x-enoki-expiration",
      DEATH_HEADERS.exchange,
      DEATH_HEADERS.routingKey,
    ];
    const fake = delivery({ headers: Object.fromEntries(names.map((name) => [name, strange])) });
    assert.deepEqual([attemptsOf(fake), lossesOf(fake)], [0, 0]);
    const { exchange, routingKey, properties } = receivedMessage(fake);
    if (typeof strange !== "string") assert.deepEqual([exchange, routingKey], ["orders.events", "placed"]);
    if (strange !== "1") assert.equal(properties.expiration, undefined);
    await retryLater(place.outbox, fake, 1);
  }
});

Deno.test("offerAgain() counts losses apart from attempts", async () => {
  await using place = await stage();
  const inbox = await place.inboxOf("q");
  await offerAgain(place.outbox, delivery());
  const { delivery: again } = await inbox.next();
  assert.deepEqual([attemptsOf(again), lossesOf(again)], [0, 1]);
});

Deno.test("bury() cuts an error that would not fit into a header", async () => {
  await using place = await stage();
  await bury(place.outbox, delivery(), "undecodable", describeFailure(new Error("x".repeat(200_000))));
  assert.equal(String(place.published[0]!.properties.headers?.[DEATH_HEADERS.error]).length, 1_000);
});

Deno.test("a copy waits for the broker's word only until its signal aborts", async () => {
  await using place = await stage();
  const reason = new Error("stop now");
  const outbox = { ...place.outbox, signal: AbortSignal.abort(reason) };
  await assert.rejects(bury(outbox, delivery(), "undecodable", FAILURE), reason);
});

Deno.test("no copy is made of a message that has gone back to its queue", async () => {
  await using place = await stage();
  const gone = delivery({}, AbortSignal.abort());
  await assert.rejects(retryLater(place.outbox, gone, 10), { name: "AbortError" });
  await assert.rejects(offerAgain(place.outbox, gone), { name: "AbortError" });
  await assert.rejects(bury(place.outbox, gone, "undecodable", FAILURE), { name: "AbortError" });
  assert.deepEqual(place.queues, []);
  assert.equal(await place.outbox.transport.countMessages("q"), 0);
});

Deno.test("originalHeaders() leaves alone what never came through a queue of ours", () => {
  const headers = { "x-death": [], "x-first-death-queue": "theirs" };
  assert.equal(originalHeaders(delivery({ headers })), headers);
  assert.equal(originalHeaders(delivery()), undefined);
});
