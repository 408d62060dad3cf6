import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { consume, type ConsumeOptions, exchange, queue } from "../../../extensions/messaging/mod.ts";
import type { ReceivedMessage } from "../../../runtime/service/entrypoint.ts";
import { Retry } from "../../../runtime/message/retry.ts";
import type { Serializer } from "../../../runtime/message/serializer.ts";
import { service } from "../../../runtime/service/service.ts";
import type { FieldTable, MessageProperties } from "../../../runtime/message/transport.ts";
import { Record } from "../events/event_stage.ts";
import { type Instance, type MessagingStage, messagingTest } from "./messaging_stage.ts";

/** What a handler got. */
interface Handled {
  readonly payload: unknown;
  readonly message: ReceivedMessage;
  readonly context: FieldTable;
}

/** Serves a consumer of a queue of its own; `act` is what its handler does with each payload. */
async function serving(
  stage: MessagingStage,
  options: ConsumeOptions = {},
  act: (payload: unknown) => unknown = () => {},
): Promise<{ readonly name: string; readonly handled: Record<Handled>; readonly instance: Instance }> {
  const name = stage.queueName();
  const handled = new Record<Handled>();
  const instance = await stage.serve(service("consumer", {
    entrypoints: { handle: consume(queue(name), options) },
    handlers: {
      handle({ call }, payload, message) {
        handled.add({ payload, message, context: call.headers });
        return act(payload);
      },
    },
  }));
  return { name, handled, instance };
}

function send(
  stage: MessagingStage,
  name: string,
  body: string | Uint8Array,
  properties: MessageProperties,
): Promise<void> {
  return stage.publish({ exchange: "", routingKey: name, body, properties });
}

const JSON_TYPE = { contentType: "application/json", contentEncoding: "utf-8" };

messagingTest("consume() declares its queue and binds it", async (stage) => {
  const [name, source] = [stage.queueName(), stage.exchangeName()];
  const handled = new Record<unknown>();
  await stage.serve(service("consumer", {
    entrypoints: {
      handle: consume(queue(name, {
        exchange: exchange(source, { type: "topic", autoDelete: true }),
        routingKey: "a.*",
      })),
    },
    handlers: { handle: (_context, payload) => handled.add(payload) },
  }));
  await stage.publish({ exchange: source, routingKey: "a.b", body: "7", properties: JSON_TYPE });
  assert.deepEqual(await handled.reaches(1), [7]);
});

messagingTest("a handler gets the payload, and what its sender said of the message", async (stage) => {
  const { name, handled } = await serving(stage);
  const properties = {
    ...JSON_TYPE,
    headers: { foreign: [1, { two: 2 }] },
    deliveryMode: 2,
    priority: 3,
    correlationId: "cid",
    replyTo: "rt",
    messageId: "mid",
    timestamp: 1_234_567_890,
    type: "mytype",
    appId: "myapp",
  } as const;
  await send(stage, name, '{"a": [1]}', properties);
  const [{ payload, message }] = await handled.reaches(1) as [Handled];
  assert.deepEqual(payload, { a: [1] });
  assert.deepEqual(message, { exchange: "", routingKey: name, queue: name, redelivered: false, properties });
});

messagingTest("headers become context data, with and without Nameko's prefix", async (stage) => {
  const { name, handled } = await serving(stage);
  await send(stage, name, "1", {
    ...JSON_TYPE,
    headers: { "nameko.language": "de", foreign: 1, "nameko.call_id_stack": ["a.b.1"] },
  });
  const [{ context }] = await handled.reaches(1) as [Handled];
  assert.deepEqual(context, { language: "de", foreign: 1 });
});

/** By content type: the body as it comes, the payload as it is handled. */
const ACCEPTED: readonly (readonly [string | undefined, string | Uint8Array, unknown])[] = [
  ["application/json", '{"a": NaN, "é": null}', { a: NaN, é: null }],
  ["application/json", "", ""],
  ["application/json; charset=utf-8", '{"a": 1}', { a: 1 }],
  ["Application/JSON", '\ufeff{"a": 1}', { a: 1 }],
  ["text/plain", "Grüße", "Grüße"],
  ["application/text", "Grüße", "Grüße"],
  ["application/data", "raw", new Uint8Array([114, 97, 119])],
  ["application/octet-stream", new Uint8Array([0, 255]), new Uint8Array([0, 255])],
  [undefined, new Uint8Array([0, 255]), new Uint8Array([0, 255])],
];

for (const [contentType, body, expected] of ACCEPTED) {
  messagingTest(`a body of type ${contentType} such as ${JSON.stringify(body)} is read`, async (stage) => {
    const { name, handled } = await serving(stage);
    await send(stage, name, body, contentType === undefined ? {} : { contentType });
    const [{ payload }] = await handled.reaches(1) as [Handled];
    assert.deepEqual(payload, expected);
  });
}

messagingTest("a body that kombu's gzip has compressed is read", async (stage) => {
  const { name, handled } = await serving(stage);
  const headers = { compression: "application/x-gzip" };
  await send(stage, name, deflateSync('{"a":1}'), { ...JSON_TYPE, headers });
  const [{ payload }] = await handled.reaches(1) as [Handled];
  assert.deepEqual(payload, { a: 1 });
});

/** What cannot be read. */
const REFUSED: { readonly [what: string]: readonly [string | Uint8Array, MessageProperties] } = {
  "of a content type that is not accepted": ["x", { contentType: "application/x-yaml" }],
  "of JSON in another charset": ["1", { contentType: "application/json; charset=latin1" }],
  "that is no JSON": ["{", JSON_TYPE],
  "that is no UTF-8": [new Uint8Array([255]), JSON_TYPE],
  "of an unknown compression": ["1", { ...JSON_TYPE, headers: { compression: "application/x-bz2" } }],
};

for (const [what, [body, properties]] of Object.entries(REFUSED)) {
  messagingTest(`a body ${what} is logged and buried, and the consumer lives on`, async (stage) => {
    const { name, handled, instance } = await serving(stage);
    await send(stage, name, body, properties);
    await send(stage, name, "7", JSON_TYPE);
    assert.deepEqual((await handled.reaches(1)).map(({ payload }) => payload), [7]);
    const { delivery, settle } = await (await stage.dead(name)).next();
    settle("ack");
    assert.equal(delivery.properties.headers?.["x-enoki-dead-reason"], "undecodable");
    assert.equal(delivery.properties.contentType, properties.contentType);
    assert.deepEqual(
      [...delivery.body],
      [...typeof body === "string" ? new TextEncoder().encode(body) : body],
    );
    await instance[Symbol.asyncDispose]();
    assert.ok(
      instance.log.some(({ level, message }) =>
        level === "error" && /^(?:Gave up|Cannot read) a message/.test(message)
      ),
    );
  });
}

messagingTest("a serializer of one's own reads its content type", async (stage) => {
  const commas: Serializer = {
    contentType: "text/csv",
    contentEncoding: "utf-8",
    encode: (value) => (value as string[]).join(","),
    decode: (body) => String(body).split(","),
  };
  const { name, handled } = await serving(stage, { serializers: [commas] });
  await send(stage, name, "a,b", { contentType: "text/csv" });
  const [{ payload }] = await handled.reaches(1) as [Handled];
  assert.deepEqual(payload, ["a", "b"]);
});

messagingTest("a message whose handler failed is taken off the queue", async (stage) => {
  const { name, handled, instance } = await serving(stage, {}, () => {
    throw new Error("boom");
  });
  await send(stage, name, "1", JSON_TYPE);
  await handled.reaches(1);
  await instance[Symbol.asyncDispose]();
  assert.equal(await (await stage.own()).countMessages(name), 0);
});

messagingTest(
  "a message whose handler failed is offered again where requeueOnError says so",
  async (stage) => {
    let failures = 2;
    const { name, handled } = await serving(stage, { requeueOnError: true, expected: ["Error"] }, () => {
      if (failures-- > 0) throw new Error("boom");
    });
    await send(stage, name, "1", JSON_TYPE);
    const seen = (await handled.reaches(3)).map(({ message }) => message.redelivered);
    assert.deepEqual(seen, [false, true, true]);
  },
);

messagingTest("a retried message is the same to its handler as the first time", async (stage) => {
  const source = stage.exchangeName();
  const name = stage.queueName();
  const handled = new Record<Handled>();
  await stage.serve(service("consumer", {
    entrypoints: {
      handle: consume(queue(name, { exchange: exchange(source, { autoDelete: true }), routingKey: "k" })),
    },
    handlers: {
      handle({ call }, payload, message) {
        handled.add({ payload, message, context: call.headers });
        if (handled.all.length < 3) throw new Retry({ after: 20 });
      },
    },
  }));
  const properties = {
    ...JSON_TYPE,
    deliveryMode: 2,
    priority: 0,
    correlationId: "cid",
    replyTo: "rt",
    headers: { "nameko.language": "de", own: 1 },
  } as const;
  await stage.publish({ exchange: source, routingKey: "k", body: "7", properties });
  const [first, ...rest] = await handled.reaches(3);
  assert.deepEqual(first!.message, {
    exchange: source,
    routingKey: "k",
    queue: name,
    redelivered: false,
    properties,
  });
  for (const again of rest) assert.deepEqual(again, first);
});

messagingTest("a message that fails until its retries are used up is buried", async (stage) => {
  const { name, handled } = await serving(stage, { retry: { max: 2, backoff: 20 } }, () => {
    throw new Error("boom");
  });
  await send(stage, name, "1", JSON_TYPE);
  const { delivery, settle } = await (await stage.dead(name)).next();
  settle("ack");
  assert.equal(handled.all.length, 3);
  const { headers = {} } = delivery.properties;
  assert.equal(headers["x-enoki-dead-reason"], "retries used up");
  assert.equal(headers["x-enoki-dead-error"], "Error: boom");
  assert.equal(headers["x-enoki-dead-attempts"], 3);
});

messagingTest("an expected failure is not retried", async (stage) => {
  const options = { retry: { max: 2, backoff: 20 }, expected: ["TypeError"] };
  const { name, handled, instance } = await serving(stage, options, (payload) => {
    if (payload === 1) throw new TypeError("boom");
  });
  await send(stage, name, "1", JSON_TYPE);
  await send(stage, name, "2", JSON_TYPE);
  await handled.reaches(2);
  await instance[Symbol.asyncDispose]();
  assert.equal(await (await stage.own()).countMessages(name), 0);
  assert.equal(handled.all.length, 2);
});

messagingTest("with prefetch 1, who is busy gets nothing that who is free could do", async (stage) => {
  const release = Promise.withResolvers<void>();
  const name = stage.queueName();
  const handled = new Record<string>();
  const worker = (instance: string) =>
    service("worker", {
      entrypoints: { work: consume<string>(queue(name), { prefetch: 1 }) },
      handlers: {
        async work(_context, task) {
          handled.add(`${instance} ${task === "slow" ? task : "quick"}`);
          if (task === "slow") await release.promise;
        },
      },
    });
  await stage.serve(worker("a"));
  await send(stage, name, '"slow"', JSON_TYPE);
  await handled.reaches(1);
  await stage.serve(worker("b"));
  for (let task = 0; task < 9; task++) await send(stage, name, '"quick"', JSON_TYPE);
  assert.deepEqual(await handled.reaches(10), ["a slow", ...new Array(9).fill("b quick")]);
  release.resolve();
});

messagingTest(
  "without a prefetch, as many messages are held as the threads can make use of",
  async (stage) => {
    const release = Promise.withResolvers<void>();
    const { name, handled } = await serving(stage, {}, () => release.promise);
    for (let task = 0; task < 12; task++) await send(stage, name, "1", JSON_TYPE);
    await handled.reaches(10);
    assert.equal(await (await stage.own()).countMessages(name), 2);
    release.resolve();
    await handled.reaches(12);
  },
);

messagingTest("a message of a higher priority overtakes the others", async (stage) => {
  const name = stage.queueName();
  const prioritized = queue(name, { maxPriority: 5 });
  await (await stage.own()).declare(prioritized.topology);
  for (const priority of [0, 5, 1]) await send(stage, name, String(priority), { ...JSON_TYPE, priority });
  const handled = new Record<unknown>();
  await stage.serve(service("worker", {
    entrypoints: { work: consume(prioritized, { prefetch: 1 }) },
    handlers: { work: (_context, payload) => handled.add(payload) },
  }));
  assert.deepEqual(await handled.reaches(3), [5, 1, 0]);
});

messagingTest("what a queue drops goes to its dead-letter exchange", async (stage) => {
  const [name, lost] = [stage.queueName(), stage.queueName()];
  const transport = await stage.own();
  await transport.declare(queue(lost).topology);
  const limited = queue(name, { messageTtl: 1, deadLetterExchange: "", deadLetterRoutingKey: lost });
  await transport.declare(limited.topology);
  await send(stage, name, "1", JSON_TYPE);
  assert.equal(await (await stage.open(lost)).text(), "1");
});

Deno.test("consume() refuses a prefetch that is no positive integer", () => {
  for (const prefetch of [0, 1.5, -1]) {
    assert.throws(() => consume(queue("q"), { prefetch }), RangeError);
  }
});

Deno.test("consume() refuses a timeout that is not positive", () => {
  assert.throws(() => consume(queue("q"), { timeout: 0 }), RangeError);
});

Deno.test("consume() has its options in the manifest as plain data", () => {
  const { kind, options, expected, redact } = consume(queue("q"), {
    requeueOnError: true,
    prefetch: 1,
    timeout: 5,
    retry: { max: 1 },
    expected: ["Gone"],
    redact: ["payload.card"],
  });
  assert.equal(kind, "consume");
  assert.deepEqual(structuredClone(options), options);
  assert.deepEqual([options.queue, options.prefetch, options.timeout], ["q", 1, 5]);
  assert.deepEqual([expected, redact], [["Gone"], ["payload.card"]]);
});
