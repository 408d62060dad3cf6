/** Consumers that answer messages. */
import assert from "node:assert/strict";
import { consume, type ConsumeOptions, queue } from "../../../extensions/messaging/mod.ts";
import { messagepack } from "../../../extensions/messagepack/mod.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { Delivery, MessageProperties } from "../../../runtime/message/transport.ts";
import type { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { service } from "../../../runtime/service/service.ts";
import { Record } from "../events/event_stage.ts";
import { type Instance, type MessagingStage, messagingTest, type ServeOptions } from "./messaging_stage.ts";

interface Serving {
  readonly instance: Instance;
  readonly handled: Record<unknown>;
  /** Sends a request that names the queue of `replies`. */
  ask(body: string | Uint8Array, properties: MessageProperties): Promise<void>;
  readonly replies: Inbox;
  readonly replyTo: string;
  readonly name: string;
}

async function serving(
  stage: MessagingStage,
  act: (payload: unknown) => unknown,
  options: ConsumeOptions = {},
  serveOptions: ServeOptions = {},
): Promise<Serving> {
  const [name, replyTo] = [stage.queueName(), stage.queueName()];
  await (await stage.own()).declare({ queues: [{ name: replyTo }] });
  const handled = new Record<unknown>();
  const answering = service("answering", {
    entrypoints: { answer: consume(queue(name), { reply: true, ...options }) },
    handlers: {
      answer(_context, payload) {
        handled.add(payload);
        return act(payload);
      },
    },
  });
  const instance = await stage.serve(answering, {}, serveOptions);
  const ask = (body: string | Uint8Array, properties: MessageProperties) =>
    stage.publish({ exchange: "", routingKey: name, body, properties: { replyTo, ...properties } });
  return { instance, handled, ask, replies: await stage.open(replyTo), replyTo, name };
}

async function nextOf(
  replies: Inbox,
): Promise<{ readonly text: string; readonly properties: Delivery["properties"] }> {
  const { delivery: { properties }, text, settle } = await replies.next();
  settle("ack");
  return { text, properties };
}

const JSON_TYPE = "application/json";

/** By the content type of a request: a result, the content type of its reply, and the body of its reply. */
const RESULTS: readonly (readonly [string | undefined, unknown, string | undefined, string])[] = [
  [JSON_TYPE, { a: [1] }, JSON_TYPE, '{"a":[1]}'],
  [JSON_TYPE, undefined, JSON_TYPE, "null"],
  ["application/json; charset=utf-8", 55, JSON_TYPE, "55"],
  ["text/plain", "Grüße", "text/plain", "Grüße"],
  ["text/plain", 55, "text/plain", "55"],
  ["text/plain", { a: 1 }, JSON_TYPE, '{"a":1}'],
  ["application/octet-stream", new Uint8Array([82, 97]), "application/octet-stream", "Ra"],
  ["application/octet-stream", 55, JSON_TYPE, "55"],
  [undefined, "55", undefined, "55"],
  [undefined, 55, JSON_TYPE, "55"],
];

messagingTest("the reply to a message is written as the message was, or as JSON", async (stage) => {
  let result: unknown;
  const { ask, replies } = await serving(stage, () => result);
  for (const [contentType, given, expected, body] of RESULTS) {
    result = given;
    await ask('"x"', { correlationId: "id 5", ...(contentType !== undefined && { contentType }) });
    const { text, properties } = await nextOf(replies);
    assert.deepEqual(
      [properties.contentType, text],
      [expected, body],
      `${contentType}: ${JSON.stringify(given)}`,
    );
    assert.equal(properties.correlationId, "id 5");
    assert.equal(properties.type, undefined);
  }
});

messagingTest("the reply is written by the serializer that has read the message", async (stage) => {
  const { ask, replies } = await serving(stage, (payload) => payload, { serializers: [messagepack] });
  const { contentType } = messagepack;
  await ask(messagepack.encode({ a: 1 }), { contentType });
  const { delivery, settle } = await replies.next();
  settle("ack");
  assert.equal(delivery.properties.contentType, contentType);
  assert.deepEqual(messagepack.decode(new Uint8Array(delivery.body)), { a: 1 });
});

messagingTest("a message without replyTo is handled, and its result is ignored", async (stage) => {
  const { name, handled, instance } = await serving(stage, () => 1);
  await stage.publish({ exchange: "", routingKey: name, body: "5", properties: { contentType: JSON_TYPE } });
  assert.deepEqual(await handled.reaches(1), [5]);
  await instance[Symbol.asyncDispose]();
  assert.equal(await (await stage.own()).countMessages(name), 0);
});

messagingTest("a failure is a reply of the type error, with Nameko's error object", async (stage) => {
  const { ask, replies } = await serving(stage, () => {
    throw Object.assign(new RangeError("too large"), { code: "TOO_LARGE" });
  });
  await ask("5", { contentType: JSON_TYPE, correlationId: "id" });
  const { text, properties } = await nextOf(replies);
  const { type, contentType, correlationId } = properties;
  assert.deepEqual([type, contentType, correlationId], ["error", JSON_TYPE, "id"]);
  assert.deepEqual(JSON.parse(text), {
    exc_type: "RangeError",
    exc_path: "answering.RangeError",
    exc_args: ["too large"],
    value: "too large",
    code: "TOO_LARGE",
  });
});

messagingTest("a message that cannot be read is answered by an error, and not buried", async (stage) => {
  const { ask, replies, handled } = await serving(stage, () => 1);
  await ask("{", { contentType: JSON_TYPE });
  const { text, properties } = await nextOf(replies);
  assert.equal(properties.type, "error");
  assert.equal(JSON.parse(text).exc_type, "MalformedRequest");
  assert.deepEqual(handled.all, []);
});

messagingTest("a result that cannot be written is answered by an error", async (stage) => {
  const { ask, replies } = await serving(stage, () => () => {});
  await ask("5", { contentType: JSON_TYPE });
  const { properties } = await nextOf(replies);
  assert.equal(properties.type, "error");
});

messagingTest("a message whose sender waits no more is not handled", async (stage) => {
  const { ask, replies, handled } = await serving(stage, () => 1);
  await ask("5", { contentType: JSON_TYPE, headers: { "nameko.enoki_timeout": "0" } });
  const { text, properties } = await nextOf(replies);
  assert.deepEqual([properties.type, JSON.parse(text).exc_type], ["error", "CallTimeoutError"]);
  assert.deepEqual(handled.all, []);
});

messagingTest("a reply to a queue that is gone is dropped, and the message is done", async (stage) => {
  const { ask, replies, name, instance } = await serving(stage, (payload) => payload);
  await ask("1", { contentType: JSON_TYPE, replyTo: stage.name("gone") });
  await ask("2", { contentType: JSON_TYPE });
  assert.equal((await nextOf(replies)).text, "2");
  await instance[Symbol.asyncDispose]();
  assert.equal(await (await stage.own()).countMessages(name), 0);
  assert.ok(
    instance.log.some(({ level, message }) =>
      level === "info" && /^Dropped the reply .* gone$/.test(message)
    ),
  );
});

messagingTest("a reply that its service may not send is dropped, and the log says so", async (stage) => {
  const theirs = stage.queueName();
  const { ask, replies, instance } = await serving(stage, (payload) => payload, {}, {
    requireMessage({ routingKey }) {
      if (routingKey === theirs) throw new ConfigurationError("Cannot reply there");
    },
  });
  await ask("1", { contentType: JSON_TYPE, replyTo: theirs });
  await ask("2", { contentType: JSON_TYPE });
  assert.equal((await nextOf(replies)).text, "2");
  assert.ok(
    instance.log.some(({ level, message }) => level === "error" && /Cannot reply there/.test(message)),
  );
});

Deno.test("consume() refuses reply together with what offers a message again", () => {
  for (const options of [{ retry: {} }, { requeueOnError: true }]) {
    assert.throws(() => consume(queue("q"), { reply: true, ...options }), {
      name: "TypeError",
      message: /reply/,
    });
  }
});
