/** Requests over plain queues. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import {
  consume,
  exchange,
  queue,
  type Requester,
  requester,
  type RequesterOptions,
} from "../../../extensions/messaging/mod.ts";
import { messagepack } from "../../../extensions/messagepack/mod.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { textSerializer } from "../../../runtime/message/serializer.ts";
import type { Delivery, MessageProperties } from "../../../runtime/message/transport.ts";
import { service } from "../../../runtime/service/service.ts";
import { within } from "../../../runtime/waiting/abort.ts";
import { brokerUri } from "../../fixtures/broker_probe.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { type MessagingStage, messagingTest, type ServeOptions } from "./messaging_stage.ts";

type Ask = Requester<unknown, unknown>;

/** Gives what a handler of a service has of a requester, while the handler runs. */
async function asking(
  stage: MessagingStage,
  options: RequesterOptions,
  serveOptions: ServeOptions = {},
  properties: MessageProperties = {},
  timeout?: number,
): Promise<{ readonly ask: Ask; readonly [Symbol.dispose]: () => void }> {
  const calls = stage.queueName();
  const got = Promise.withResolvers<Ask>();
  const release = Promise.withResolvers<void>();
  await stage.serve(
    service("asker", {
      dependencies: { ask: requester(options) },
      entrypoints: { run: consume(queue(calls), timeout === undefined ? {} : { timeout }) },
      handlers: {
        async run({ ask }) {
          got.resolve(ask);
          await release.promise;
        },
      },
    }),
    {},
    serveOptions,
  );
  await stage.publish({ exchange: "", routingKey: calls, body: "1", properties });
  return { ask: await got.promise, [Symbol.dispose]: () => release.resolve() };
}

/** Answers the requests of a queue as a program does that knows nothing of Enoki. */
async function answering(
  stage: MessagingStage,
  name: string,
  answer: (
    text: string,
    delivery: Delivery,
  ) => { readonly body: string | Uint8Array; readonly properties?: MessageProperties },
): Promise<void> {
  const own = await stage.own();
  await own.declare({ queues: [{ name }] });
  await own.consume(name, async (delivery) => {
    const { replyTo = "", correlationId = "" } = delivery.properties;
    const { body, properties } = answer(new TextDecoder().decode(delivery.body), delivery);
    await own.publish({
      exchange: "",
      routingKey: replyTo,
      body,
      properties: { correlationId, ...properties },
    });
    return "ack";
  }, { prefetch: 10 });
}

messagingTest("a request is answered by a consumer that replies", async (stage) => {
  const name = stage.queueName();
  await stage.serve(service("squares", {
    entrypoints: { square: consume<number>(queue(name), { reply: true }) },
    handlers: { square: (_context, n) => n * n },
  }));
  using asker = await asking(stage, { routingKey: name });
  const answers = await Promise.all([2, 3, 4].map((n) => asker.ask(n)));
  assert.deepEqual(answers, [4, 9, 16]);
});

messagingTest("a failure of a consumer that replies is the failure of the request", async (stage) => {
  const name = stage.queueName();
  await stage.serve(service("failing", {
    entrypoints: { fail: consume(queue(name), { reply: true }) },
    handlers: {
      fail() {
        throw Object.assign(new RangeError("too large"), { code: "TOO_LARGE", data: { most: 5 } });
      },
    },
  }));
  using asker = await asking(stage, { routingKey: name });
  await assert.rejects(asker.ask(1), {
    name: "RemoteError",
    remoteName: "RangeError",
    remoteMessage: "too large",
    code: "TOO_LARGE",
    data: { most: 5 },
  });
});

messagingTest(
  "a request carries the context of its call, its own headers and its deadline",
  async (stage) => {
    const name = stage.queueName();
    const seen = Promise.withResolvers<Delivery>();
    await answering(stage, name, (_text, delivery) => {
      seen.resolve(delivery);
      return { body: "null" };
    });
    using asker = await asking(
      stage,
      { routingKey: name, headers: { all: 1, own: 1 }, timeout: 30_000 },
      {},
      {
        headers: { "nameko.language": "de", "nameko.call_id_stack": ["a.b.1"] },
      },
    );
    await asker.ask({ n: 5 }, { headers: { own: 2 } });
    const { body, properties: { headers = {}, contentType, expiration, replyTo } } = await seen.promise;
    assert.equal(new TextDecoder().decode(body), '{"n":5}');
    assert.equal(contentType, "application/json");
    assert.deepEqual([headers.all, headers.own, headers["nameko.language"]], [1, 2, "de"]);
    const stack = headers["nameko.call_id_stack"] as readonly string[];
    assert.equal(stack[0], "a.b.1");
    assert.match(stack[1]!, /^asker\.run\./);
    for (const left of [Number(headers["nameko.enoki_timeout"]), Number(expiration)]) {
      assert.ok(left > 0 && left <= 30_000, `${left} ms are left`);
    }
    assert.match(replyTo!, /^enoki\.gen-replies-/);
  },
);

/** By what a peer sends: its reply, and what the request gives. */
const REPLIES:
  readonly (readonly [what: string, RequesterOptions, string | Uint8Array, MessageProperties, unknown])[] = [
    ["JSON", {}, '{"a":1}', { contentType: "application/json" }, { a: 1 }],
    ["text", {}, "55", { contentType: "text/plain" }, "55"],
    ["no content type", {}, "55", {}, 55],
    ["no content type to a request of text", { serializer: textSerializer }, "55", {}, "55"],
    ["another content type that is accepted", { serializers: [messagepack] }, messagepack.encode([1]), {
      contentType: messagepack.contentType,
    }, [1]],
  ];

for (const [what, options, body, properties, expected] of REPLIES) {
  messagingTest(`a reply of ${what} is read`, async (stage) => {
    const name = stage.queueName();
    await answering(stage, name, () => ({ body, properties }));
    using asker = await asking(stage, { routingKey: name, ...options });
    assert.deepEqual(await asker.ask("x"), expected);
  });
}

messagingTest("a request and its reply may be bytes", async (stage) => {
  const name = stage.queueName();
  await answering(stage, name, (_text, { body, properties: { contentType = "" } }) => ({
    body: body.slice(),
    properties: { contentType },
  }));
  using asker = await asking(stage, { routingKey: name, serializer: messagepack });
  assert.deepEqual(await asker.ask({ a: "\n", b: [1] }), { a: "\n", b: [1] });
});

messagingTest("a reply that cannot be read is an error, as is one of the type error", async (stage) => {
  const name = stage.queueName();
  await answering(stage, name, (text) => ({ body: JSON.parse(text), properties: { type: "error" } }));
  const other = stage.queueName();
  await answering(stage, other, () => ({ body: "{", properties: { contentType: "application/json" } }));
  using asker = await asking(stage, { routingKey: name });
  await assert.rejects(asker.ask("no"), { name: "RemoteError", message: "Error no" });
  await assert.rejects(asker.ask('{"reason":5}'), { name: "RemoteError", message: 'Error {"reason":5}' });
  await assert.rejects(asker.ask(1, { routingKey: other }), { remoteName: "MalformedResponse" });
});

messagingTest("a request goes through the exchange of its requester, which is declared", async (stage) => {
  const [name, source] = [stage.queueName(), stage.exchangeName()];
  using asker = await asking(stage, { exchange: exchange(source, { type: "topic", autoDelete: true }) });
  const own = await stage.own();
  await answering(stage, name, (text) => ({ body: text }));
  await own.declare({ bindings: [{ queue: name, exchange: source, routingKey: "sum.*" }] });
  assert.equal(await asker.ask(5, { routingKey: "sum.up" }), 5);
});

messagingTest("a request that no queue takes fails at once", async (stage) => {
  using asker = await asking(stage, { routingKey: stage.name("nowhere"), timeout: 600_000 });
  await assert.rejects(asker.ask(1), { name: "UnroutableError" });
});

messagingTest("a request without an answer fails when its time is up", async (stage) => {
  const name = stage.queueName();
  await (await stage.own()).declare({ queues: [{ name }] });
  using asker = await asking(stage, { routingKey: name, timeout: 600_000 });
  await assert.rejects(asker.ask(1, { timeout: 50 }), {
    name: "CallTimeoutError",
    message: new RegExp(`^Cannot send a request to queue "${name}": no reply within \\d+ ms`),
  });
});

messagingTest("late replies and those that nobody waits for are dropped", async (stage) => {
  const name = stage.queueName();
  await (await stage.own()).declare({ queues: [{ name }] });
  using asker = await asking(stage, { routingKey: name, timeout: 600_000 });
  const inbox = await stage.open(name);
  const controller = new AbortController();
  const first = asker.ask(1, { signal: controller.signal });
  const late = await inbox.next();
  controller.abort(new Error("enough"));
  await assert.rejects(first, /enough/);
  const second = asker.ask(2);
  const held = await inbox.next();
  for (const [body, delivery] of [['"late"', late.delivery], ['"in time"', held.delivery]] as const) {
    const { replyTo = "", correlationId = "" } = delivery.properties;
    for (const properties of [{}, { correlationId: "nobody's" }, { correlationId }]) {
      await stage.publish({ exchange: "", routingKey: replyTo, body, properties });
    }
  }
  assert.equal(await second, "in time");
  late.settle("ack");
  held.settle("ack");
});

messagingTest("a request waits no longer than its call may run", async (stage) => {
  const name = stage.queueName();
  await (await stage.own()).declare({ queues: [{ name }] });
  using asker = await asking(stage, { routingKey: name, timeout: 600_000 }, {}, {}, 300);
  await assert.rejects(asker.ask(1), { name: "CallTimeoutError" });
  await assert.rejects(asker.ask(1), { name: "CallTimeoutError" });
});

messagingTest("a request needs a time limit", async (stage) => {
  using asker = await asking(stage, { routingKey: "nowhere" });
  for (const timeout of [0, -1, Infinity]) {
    await assert.rejects(asker.ask(1, { timeout }), RangeError);
    assert.throws(() => requester({ routingKey: "nowhere", timeout }), RangeError);
  }
});

messagingTest("a request that its service may not send fails", async (stage) => {
  using asker = await asking(stage, { routingKey: "theirs" }, {
    requireMessage({ routingKey }) {
      if (routingKey === "theirs") throw new ConfigurationError("Cannot publish there");
    },
  });
  await assert.rejects(asker.ask(1), /Cannot publish there/);
});

const uri = await brokerUri();

messagingTest.on("amqp", "a request that is answered after a reconnect has its answer", async (stage) => {
  await using proxy = await SeverableProxy.open(uri!);
  const name = stage.queueName();
  const statuses: string[] = [];
  const regained = Promise.withResolvers<void>();
  const transport = amqp(proxy.uri, {
    retryStep: 20,
    onStatus({ state }) {
      statuses.push(state);
      if (state === "connected" && statuses.includes("lost")) regained.resolve();
    },
  });
  await transport.connect();
  using asker = await asking(stage, { routingKey: name, timeout: 60_000, declare: [queue(name)] }, {
    transport,
  });
  const inbox = await stage.open(name);
  const first = asker.ask("first");
  const { delivery: { properties: { replyTo = "", correlationId = "" } }, settle } = await inbox.next();
  await proxy.sever();
  await regained.promise;
  settle("ack");
  const own = await stage.own();
  // The queue for replies is there again once the broker has noticed the loss.
  for (let isOut = false; !isOut;) {
    const reply = { exchange: "", routingKey: replyTo, body: '"late"', properties: { correlationId } };
    isOut = await own.publish({ ...reply, mandatory: true }).then(() => true, () => false);
    isOut &&= await within(50, first);
  }
  assert.equal(await first, "late");
  const second = asker.ask("second");
  // The first request comes twice if the loss has cut off its confirmation.
  let held = await inbox.next();
  for (; held.text !== '"second"'; held = await inbox.next()) held.settle("ack");
  held.settle("ack");
  assert.notEqual(held.delivery.properties.replyTo, replyTo);
  await own.publish({
    exchange: "",
    routingKey: held.delivery.properties.replyTo!,
    body: '"in time"',
    properties: { correlationId: held.delivery.properties.correlationId! },
  });
  assert.equal(await second, "in time");
  await stage.gone(own, replyTo);
});

messagingTest.on("amqp", "a request whose connection is lost ends by its time limit", async (stage) => {
  await using proxy = await SeverableProxy.open(uri!);
  const name = stage.queueName();
  const transport = amqp(proxy.uri, { retryStep: 20 });
  await transport.connect();
  using asker = await asking(stage, { routingKey: name, declare: [queue(name)] }, { transport });
  proxy.down = true;
  await proxy.sever();
  await assert.rejects(asker.ask(1, { timeout: 200 }), { name: "CallTimeoutError" });
  proxy.down = false;
});
