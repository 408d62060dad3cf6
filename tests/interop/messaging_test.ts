/** Queues, exchanges, publishers and consumers of both runtimes: declarations, properties, bodies, serializers. */
import { deepStrictEqual, equal, rejects } from "node:assert/strict";
import {
  consume,
  exchange,
  publisher,
  type PublishOptions,
  queue,
  type QueueOptions,
  rawSerializer,
  rpc,
  type Serializer,
  type Service,
  service,
  textSerializer,
} from "../../mod.ts";
import { messagepack } from "../../extensions/messagepack/mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { Delivery, FieldTable, MessageProperties } from "../../runtime/message/transport.ts";
import { Record } from "../extensions/events/event_stage.ts";
import { type InteropStage, type Law, namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

type Stage = InteropStage;

/** Options of a queue, and kombu's spelling of them. */
const QUEUES: readonly (readonly [QueueOptions, string])[] = [
  [{}, ""],
  [{ durable: false }, "durable=False"],
  [{ autoDelete: true }, "auto_delete=True"],
  [{ maxLength: 5 }, "max_length=5"],
  [{ maxBytes: 1_000 }, "max_length_bytes=1000"],
  [{ messageTtl: 60_000 }, "message_ttl=60"],
  [{ expires: 90_500 }, "expires=90.5"],
  [{ maxPriority: 5 }, "max_priority=5"],
  [{ arguments: { "x-overflow": "reject-publish" } }, "queue_arguments={'x-overflow': 'reject-publish'}"],
  [
    { deadLetterExchange: "", deadLetterRoutingKey: "q" },
    "queue_arguments={'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q'}",
  ],
];

/** Kinds of exchanges, with a binding and a routing key that it takes. */
const EXCHANGES = [
  ["direct", "key", "key"],
  ["topic", "a.*.#", "a.b.c"],
  ["fanout", "", "anything"],
] as const;

/** A pair of options for a message, of Python and of ours, that make the same message. */
const MESSAGES: readonly (readonly [object, PublishOptions])[] = [
  [{}, {}],
  [{ priority: 7, delivery_mode: 1 }, { priority: 7, deliveryMode: 1 }],
  [{ expiration: 1.5 }, { expiration: 1_500 }],
  [
    { correlation_id: "c", reply_to: "r", message_id: "m", type: "t", app_id: "a", timestamp: 1234567890 },
    { correlationId: "c", replyTo: "r", messageId: "m", type: "t", appId: "a", timestamp: 1234567890 },
  ],
  [{ headers: { a: 1, b: [1.5, { c: true }] } }, { headers: { a: 1, b: [1.5, { c: true }] } }],
  [{ serializer: "raw" }, { serializer: rawSerializer }],
  [{ serializer: "msgpack" }, { serializer: messagepack }],
  [{ compression: "gzip" }, { compression: "gzip" }],
];

/** Where messages of both end, as they are on the wire. */
async function tapped(stage: Stage, name: string): Promise<{ next(): Promise<Delivery> }> {
  const transport = await stage.transport();
  await transport.declare({ queues: [{ name, durable: false, autoDelete: true }] });
  stage.removes(name);
  const found: Delivery[] = [];
  let taken = 0;
  const heard = new Record<number>();
  await transport.consume(name, (delivery) => {
    found.push(delivery);
    heard.add(found.length);
    return Promise.resolve("ack");
  }, { prefetch: 10 });
  return {
    async next() {
      await heard.reaches(++taken);
      return found[taken - 1]!;
    },
  };
}

/** Serves a publisher of ours, and returns what makes it publish. */
async function ourPublisher(stage: Stage, name: string) {
  await stage.ours([
    service(name, {
      dependencies: { publish: publisher() },
      entrypoints: { send: consume(queue(`${name}_send`, { autoDelete: true })) },
      handlers: { send: ({ publish }) => publish(...next!) },
    }) as unknown as Service,
  ]);
  let next: [unknown, PublishOptions] | undefined;
  return async (payload: unknown, options: PublishOptions, headers: FieldTable = {}) => {
    next = [payload, options];
    const transport = await stage.transport();
    await transport.publish({
      exchange: "",
      routingKey: `${name}_send`,
      body: "null",
      properties: { contentType: "application/json", headers },
    });
  };
}

/** Serves a consumer of ours, and returns what it gets. */
async function ourConsumer(stage: Stage, queueName: string, serializers: readonly Serializer[] = []) {
  const got = new Record<
    { readonly payload: unknown; readonly headers: object; readonly properties: MessageProperties }
  >();
  await stage.ours([
    service(stage.name("consumer"), {
      entrypoints: { take: consume(queue(queueName, { autoDelete: true }), { serializers }) },
      handlers: {
        take({ call }, payload, { properties }) {
          got.add({ payload, headers: { ...call.headers }, properties: properties as MessageProperties });
        },
      },
    }) as unknown as Service,
  ]);
  return got;
}

/** The part of properties that is the same in two messages. */
function comparable({ headers, ...properties }: MessageProperties): object {
  const { "nameko.call_id_stack": _stack, "nameko.traceparent": _trace, ...rest } = { ...headers };
  return { ...properties, headers: rest };
}

namekoLaws("Messages between Nameko and Enoki", () => Promise.resolve({}), [
  ...QUEUES.map(([options, kombu]): Law<Stage> => ({
    law: `queue(${JSON.stringify(options)}) declares what kombu's Queue(${kombu}) declares`,
    core: true,
    async prove(stage) {
      const name = stage.name("queue");
      stage.removes(name);
      await (await stage.transport()).declare(queue(name, options).topology);
      equal(await stage.python(`declared(Queue(name${kombu && `, ${kombu}`}))`, { name }), "");
      equal(await stage.python("declared(Queue(name, max_length=77))", { name }), "PreconditionFailed");
    },
  })),
  ...EXCHANGES.map(([type, bound, routingKey]): Law<Stage> => ({
    law: `an exchange of type ${type} and its binding are the same, whoever declares them first`,
    async prove(stage) {
      const [name, own] = [stage.name("exchange"), stage.name("queue")];
      stage.removesExchange(name);
      const theirs =
        `Queue(own, exchange=Exchange(name, type='${type}', auto_delete=True), routing_key='${bound}', auto_delete=True)`;
      const ours = queue(own, {
        exchange: exchange(name, { type, autoDelete: true }),
        routingKey: bound,
        autoDelete: true,
      });
      equal(await stage.python(`declared(${theirs})`, { name, own }), "");
      await (await stage.transport()).declare(ours.topology);
      const got = await ourConsumer(stage, own);
      await stage.python("published(name, routing_key, {'by': 'python'})", { name, routing_key: routingKey });
      deepStrictEqual((await got.reaches(1))[0]!.payload, { by: "python" });
      equal(await stage.python(`declared(${theirs})`, { name, own }), "");
    },
  })),
  ...MESSAGES.map(([theirs, ours]): Law<Stage> => ({
    law: `a publisher makes Nameko's message with ${JSON.stringify(theirs)}`,
    core: true,
    async prove(stage) {
      const [target, python] = [stage.name("target"), stage.name("publishing")];
      const tap = await tapped(stage, target);
      const payload = "serializer" in theirs && theirs.serializer === "raw"
        ? "raw text"
        : { n: [1, "é", null] };
      await stage.python("serve('publishing_service', python)", { python });
      await stage.python("call(python, 'send', repr(payload), dict(options, routing_key=target))", {
        python,
        target,
        payload,
        options: theirs,
      });
      const first = await tap.next();
      const publish = await ourPublisher(stage, stage.name("ours"));
      await publish(payload, { ...ours, routingKey: target });
      const second = await tap.next();
      deepStrictEqual(comparable(second.properties), comparable(first.properties));
    },
  })),
  {
    law: "a consumer of ours has the payload, context data and properties that Python's publisher sent",
    core: true,
    async prove(stage) {
      const [target, python] = [stage.name("target"), stage.name("publishing")];
      const got = await ourConsumer(stage, target);
      await stage.python("serve('publishing_service', python)", { python });
      await stage.python(
        "call_with({'context': {'language': 'en', 'user_id': 7}}, python, 'send', '{1: [2, None]}', " +
          "{'routing_key': target, 'headers': {'own': 1.5}, 'message_id': 'm', 'app_id': 'a', 'type': 't', 'timestamp': 5})",
        { python, target },
      );
      const [{ payload, headers, properties }] = await got.reaches(1) as [
        Awaited<ReturnType<typeof got.reaches>>[0],
      ];
      deepStrictEqual(payload, { 1: [2, null] });
      const { traceparent: _, ...data } = headers as { readonly traceparent?: string };
      deepStrictEqual(data, { language: "en", user_id: 7, own: 1.5 });
      deepStrictEqual(
        [
          properties.messageId,
          properties.appId,
          properties.type,
          properties.timestamp,
          properties.deliveryMode,
        ],
        ["m", "a", "t", 5, 2],
      );
    },
  },
  {
    law: "a consumer of Python has the payload and the context data that a publisher of ours sent",
    core: true,
    async prove(stage) {
      const [target, python] = [stage.name("target"), stage.name("consuming")];
      stage.removes(target);
      await stage.python("serve('consumer', python, 'Queue(%r, auto_delete=True)' % target)", {
        python,
        target,
      });
      const publish = await ourPublisher(stage, stage.name("ours"));
      await publish({ a: [1, "é", null] }, { routingKey: target, headers: { own: 1.5, large: 2 ** 40 } }, {
        "nameko.language": "en",
      });
      const [body, { data, types }] = await stage.python("next_received()") as [string, Facts];
      equal(body, "{'a': [1, 'é', None]}");
      const { traceparent: _, ...rest } = data;
      deepStrictEqual(rest, { own: 1.5, large: 2 ** 40, language: "en" });
      deepStrictEqual([types["own"], types["large"]], ["float", "int"]);
    },
  },
  ...([
    [{ serializer: textSerializer }, "text", "content_type = text/plain"],
    [{ serializer: rawSerializer }, "raw", "content_type = application/data"],
  ] as const).map(([options, payload, kind]): Law<Stage> => ({
    law: `a consumer of Python takes a body of ours that is no JSON as it takes one of Python's: ${kind}`,
    async prove(stage) {
      const [target, python] = [stage.name("target"), stage.name("consuming")];
      await stage.python("serve('consumer', python, 'Queue(%r, auto_delete=True)' % target)", {
        python,
        target,
      });
      const publish = await ourPublisher(stage, stage.name("ours"));
      await publish(payload, { ...options, routingKey: target });
      if (payload === "raw") {
        equal(((await stage.python("next_received()")) as [string])[0].replace(/^b/, ""), "'raw'");
      } else deepStrictEqual(await stage.python("none_received(0.1)"), []);
    },
  })),
  ...([
    ["'raw', serializer='raw'", new Uint8Array([114, 97, 119])],
    ["b'\\x00\\xff', serializer='raw'", new Uint8Array([0, 255])],
    ["'text', content_type='text/plain', content_encoding='utf-8'", "text"],
    ["b'[1]', content_type='application/json', content_encoding='binary'", [1]],
    ["'', content_type='application/json', content_encoding='utf-8'", ""],
    ["{'a': 1}, compression='bzip2'", { a: 1 }],
    ["{'a': 1}, compression='gzip'", { a: 1 }],
    ["{'a': 1}, serializer='msgpack'", { a: 1 }],
  ] as const).map(([published, wanted]): Law<Stage> => ({
    law: `a message that kombu publishes with (${published}) arrives as ${Deno.inspect(wanted)}`,
    async prove(stage) {
      const target = stage.name("target");
      const got = await ourConsumer(stage, target, [messagepack]);
      await stage.python(`published('', target, ${published})`, { target });
      deepStrictEqual((await got.reaches(1))[0]!.payload, wanted);
    },
  })),
  {
    law: "a pickle of Python is a dead letter for us, and an answer to its caller",
    async prove(stage) {
      const [ours, target] = [stage.name("ours"), stage.name("target")];
      const dead = `enoki.dead.${target}`;
      stage.removes(dead);
      await ourConsumer(stage, target);
      await stage.python("published('', target, {1, 2}, serializer='pickle')", { target });
      const transport = await stage.transport();
      while (!await transport.countMessages(dead)) await new Promise((resolve) => setTimeout(resolve, 5));
      await stage.ours([echo(ours)]);
      const { error } = await stage.python(
        "request(ours, 'echo', b'x', content_type='application/x-python-serialize')",
        {
          ours,
        },
      ) as { readonly error: { readonly exc_type: string } };
      equal(error.exc_type, "MalformedRequest");
    },
  },
  {
    law: "a serializer of the user's own is the same in both: requests, replies and errors",
    async prove(stage) {
      const [ours, python] = [stage.name("ours"), stage.name("python")];
      await stage.ours([echo(ours, [REVERSED])]);
      const config = {
        serializer: "reversed",
        ACCEPT: ["reversed", "json"],
        SERIALIZERS: {
          reversed: {
            encoder: "world_services.write_reversed",
            decoder: "world_services.read_reversed",
            content_type: "application/x-reversed",
            content_encoding: "utf-8",
          },
        },
      };
      await stage.python("serve('rpc_service', python, ours, config=config)", { ours, python, config });
      const cluster = await stage.cluster();
      const client = cluster.client(python, { serializer: REVERSED });
      deepStrictEqual(await client["relay"]!("echo", { a: [1, "é"] }), { a: [1, "é"] });
      await rejects(client["fail"]!("OutOfStock('no')"), { remoteName: "OutOfStock" });
      await stage.python("kill(python)", { python });
    },
  },
]);

const REVERSED: Serializer = {
  contentType: "application/x-reversed",
  contentEncoding: "utf-8",
  encode: (value) => reversed(JSON.stringify(value)),
  decode: (body) => JSON.parse(reversed(typeof body === "string" ? body : new TextDecoder().decode(body))),
};

/** What `world_services.py` does, too. */
function reversed(text: string): string {
  return [...text].toReversed().join("");
}

function echo(name: string, serializers: readonly Serializer[] = []): Service {
  return service(name, {
    entrypoints: { echo: rpc({ serializers }) },
    handlers: { echo: (_context, value: unknown) => value },
  }) as unknown as Service;
}

interface Facts {
  readonly data: { readonly traceparent?: string };
  readonly types: { readonly [key: string]: string };
}
