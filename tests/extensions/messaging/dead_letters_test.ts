import assert from "node:assert/strict";
import { openDeadLetters } from "../../../extensions/dead_letters.ts";
import { consume, queue } from "../../../extensions/messaging/mod.ts";
import { UnroutableError } from "../../../runtime/message/errors.ts";
import {
  attemptsOf,
  bury,
  deadLetterQueueOf,
  receivedMessage,
} from "../../../runtime/hosting/message_fate.ts";
import { service } from "../../../runtime/service/service.ts";
import type { MessageProperties } from "../../../runtime/message/transport.ts";
import { Record } from "../events/event_stage.ts";
import { type MessagingStage, messagingTest } from "./messaging_stage.ts";

const TIMEOUT = 20_000;

const JSON_TYPE = { contentType: "application/json", contentEncoding: "utf-8" };

/** A queue with so many dead messages: the numbers from 1. */
async function buried(
  stage: MessagingStage,
  count: number,
  properties: MessageProperties = {},
): Promise<string> {
  const name = stage.queueName();
  const transport = await stage.own();
  await transport.declare(queue(name).topology);
  const outbox = { transport, queue: name, signal: new AbortController().signal };
  const failure = { name: "RangeError", message: "too many", code: "ERROR", retryable: false };
  for (let number = 1; number <= count; number++) {
    await bury(
      outbox,
      {
        exchange: "shop",
        routingKey: "order",
        redelivered: false,
        signal: new AbortController().signal,
        body: new TextEncoder().encode(String(number)),
        properties: {
          ...JSON_TYPE,
          messageId: `m${number}`,
          headers: { "nameko.language": "de" },
          ...properties,
        },
      },
      "retries used up",
      failure,
    );
  }
  return name;
}

/** The bodies of what waits in a queue; it is emptied. */
async function bodies(stage: MessagingStage, name: string): Promise<string[]> {
  const count = await (await stage.own()).countMessages(name) ?? 0;
  return await (await stage.open(name)).texts(count);
}

async function opened(stage: MessagingStage, name: string) {
  return await openDeadLetters(name, { config: {}, broker: await stage.own() });
}

messagingTest("DeadLetters.list() says of each why, when and how often, and what it was", async (stage) => {
  const name = await buried(stage, 1);
  const [letter] = await (await opened(stage, name)).list();
  const { at, ...rest } = letter!;
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  assert.deepEqual(rest, {
    number: 1,
    reason: "retries used up",
    error: "RangeError: too many",
    attempts: 1,
    exchange: "shop",
    routingKey: "order",
    properties: {
      ...JSON_TYPE,
      deliveryMode: 2,
      messageId: "m1",
      headers: { "nameko.language": "de" },
    },
    size: 1,
  });
});

messagingTest("DeadLetters.show() says the same of one, and its body", async (stage) => {
  const name = await buried(stage, 3);
  const letters = await opened(stage, name);
  const { body, ...rest } = (await letters.show(2))!;
  assert.equal(new TextDecoder().decode(body), "2");
  assert.deepEqual(rest, (await letters.list())[1]);
  assert.equal(await letters.show(4), undefined);
});

messagingTest("DeadLetters.show() takes no more of the letters than it must", async (stage) => {
  const name = await buried(stage, 3);
  const transport = await stage.own();
  const consume = transport.consume.bind(transport);
  let prefetched = 0;
  transport.consume = (queue, receiver, options) => {
    prefetched = options.prefetch;
    return consume(queue, receiver, options);
  };
  await (await opened(stage, name)).show(2);
  assert.equal(prefetched, 2);
});

messagingTest("DeadLetters.list() leaves the letters where they are, in their order", async (stage) => {
  const name = await buried(stage, 3);
  const letters = await opened(stage, name);
  const first = await letters.list();
  assert.deepEqual(first.map(({ number, properties }) => [number, properties.messageId]), [
    [1, "m1"],
    [2, "m2"],
    [3, "m3"],
  ]);
  assert.deepEqual(await letters.list(), first);
});

messagingTest("DeadLetters.list() is empty where nothing ever died", async (stage) => {
  assert.deepEqual(await (await opened(stage, stage.name("nothing"))).list(), []);
});

messagingTest("DeadLetters.replay() sends all to their queue, as they were", async (stage) => {
  const name = await buried(stage, 3);
  const letters = await opened(stage, name);
  assert.equal(await letters.replay({ timeout: TIMEOUT }), 3);
  assert.deepEqual(await letters.list(), []);
  const inbox = await stage.open(name);
  for (const number of [1, 2, 3]) {
    const { delivery, text, settle } = await inbox.next();
    settle("ack");
    assert.equal(text, String(number));
    const { exchange, routingKey, properties } = receivedMessage(delivery);
    assert.deepEqual([exchange, routingKey], ["shop", "order"]);
    assert.deepEqual(properties.headers, { "nameko.language": "de" });
    assert.equal(properties.messageId, `m${number}`);
    assert.deepEqual([attemptsOf(delivery), properties.deliveryMode], [0, 2]);
  }
});

messagingTest("DeadLetters.replay() sends as transient what was sent so", async (stage) => {
  const name = await buried(stage, 1, { deliveryMode: 1 });
  await (await opened(stage, name)).replay({ timeout: TIMEOUT });
  const { delivery, settle } = await (await stage.open(name)).next();
  settle("ack");
  assert.equal(delivery.properties.deliveryMode, 1);
});

messagingTest("DeadLetters.replay() sends more than it holds at a time", async (stage) => {
  const name = await buried(stage, 250);
  assert.equal(await (await opened(stage, name)).replay({ timeout: TIMEOUT }), 250);
  const expected = Array.from({ length: 250 }, (_, index) => String(index + 1));
  assert.deepEqual(await (await stage.open(name)).texts(250), expected);
});

messagingTest("DeadLetters.replay() gives up after its timeout, and keeps the letters", async (stage) => {
  const name = await buried(stage, 2);
  const transport = await stage.own();
  const publish = transport.publish.bind(transport);
  transport.publish = (_message, { signal } = {}) =>
    new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
  const letters = await opened(stage, name);
  await assert.rejects(letters.replay({ timeout: 50 }), {
    name: "BrokerError",
    message: /^Cannot replay a message to queue ".*": the broker did not confirm it within 0\.05 s\. /,
  });
  transport.publish = publish;
  assert.equal((await letters.list()).length, 2);
});

messagingTest("DeadLetters.replay() sends the one that is named, and keeps the others", async (stage) => {
  const name = await buried(stage, 3);
  const letters = await opened(stage, name);
  assert.equal(await letters.replay({ number: 2, timeout: TIMEOUT }), 1);
  assert.deepEqual(await bodies(stage, name), ["2"]);
  assert.deepEqual((await letters.list()).map(({ properties }) => properties.messageId), ["m1", "m3"]);
});

messagingTest("DeadLetters.replay() sends nothing where there is no such number", async (stage) => {
  const name = await buried(stage, 1);
  const letters = await opened(stage, name);
  assert.equal(await letters.replay({ number: 2, timeout: TIMEOUT }), 0);
  assert.equal((await letters.list()).length, 1);
});

messagingTest("DeadLetters.replay() keeps what the queue cannot take because it is gone", async (stage) => {
  const name = await buried(stage, 2);
  await (await stage.own()).deleteQueue(name);
  const letters = await opened(stage, name);
  await assert.rejects(letters.replay({ timeout: TIMEOUT }), UnroutableError);
  assert.equal((await letters.list()).length, 2);
});

messagingTest("what is replayed is handled like new: with all of its attempts", async (stage) => {
  const name = await buried(stage, 1);
  const handled = new Record<unknown>();
  await stage.serve(service("failing", {
    entrypoints: { fail: consume(queue(name), { retry: { max: 2, backoff: 1 } }) },
    handlers: {
      fail(_context, payload) {
        handled.add(payload);
        throw new Error("again");
      },
    },
  }));
  await (await opened(stage, name)).replay({ timeout: TIMEOUT });
  const { delivery, settle } = await (await stage.dead(name)).next();
  settle("ack");
  assert.equal(handled.all.length, 3);
  assert.equal(delivery.properties.headers?.["x-enoki-dead-attempts"], 3);
});

messagingTest("a queue whose name is nearly too long has retries and dead messages, too", async (stage) => {
  const name = stage.queueName().padEnd(250, "x");
  const handled = new Record<unknown>();
  await stage.serve(service("failing", {
    entrypoints: { fail: consume(queue(name), { retry: { max: 1, backoff: 1 } }) },
    handlers: {
      fail() {
        handled.add(1);
        throw new Error("again");
      },
    },
  }));
  const dead = await stage.dead(name);
  await stage.publish({ exchange: "", routingKey: name, body: "1", properties: JSON_TYPE });
  (await dead.next()).settle("requeue");
  await dead.consumer!.stop();
  assert.equal(handled.all.length, 2);
  assert.equal((await (await opened(stage, name)).list()).length, 1);
});

messagingTest("DeadLetters.purge() deletes the letters and not their queue", async (stage) => {
  const name = await buried(stage, 2);
  const letters = await opened(stage, name);
  assert.equal(await letters.purge(), 2);
  assert.equal(await (await stage.own()).countMessages(deadLetterQueueOf(name)), 0);
});

messagingTest("DeadLetters see what nobody else holds", async (stage) => {
  const name = await buried(stage, 2);
  const inbox = await stage.inbox(await stage.own(), deadLetterQueueOf(name), 1);
  const held = await inbox.next();
  const letters = await (await opened(stage, name)).list();
  assert.deepEqual(letters.map(({ properties }) => properties.messageId), ["m2"]);
  await inbox.consumer!.cancel();
  held.settle("ack");
});
