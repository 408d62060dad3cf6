import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import {
  consume,
  exchange,
  type Publish,
  publisher,
  type PublisherOptions,
  queue,
} from "../../../extensions/messaging/mod.ts";
import { BrokerError, UnroutableError } from "../../../runtime/message/errors.ts";
import { rawSerializer, textSerializer } from "../../../runtime/message/serializer.ts";
import { CallScope } from "../../../runtime/thread/call_scope.ts";
import { encodeCallHeaders } from "../../../runtime/message/call_headers.ts";
import type { DependencyHost } from "../../../runtime/service/dependency.ts";
import type { Call } from "../../../runtime/service/call.ts";
import { service } from "../../../runtime/service/service.ts";
import type { FieldTable, Message } from "../../../runtime/message/transport.ts";
import type { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { Record } from "../events/event_stage.ts";
import { type MessagingStage, messagingTest } from "./messaging_stage.ts";

const decoder = new TextDecoder();

/** Context data as a caller of Nameko's sends it. */
const CONTEXT = {
  "nameko.language": "en-gb",
  "nameko.user_id": 7,
  "nameko.auth_token": "tok",
  "nameko.user_agent": "UA/1",
  "nameko.call_id_stack": ["standalone_rpc_proxy.call.5bd1a380-c43e-494b-8c13-7523202e5bf5"],
};

/** Runs `publish` once inside a call with the given headers; resolves with the call's id when it has. */
async function publishing(
  stage: MessagingStage,
  options: PublisherOptions,
  act: (publish: Publish<unknown>) => Promise<void>,
  headers: FieldTable = {},
): Promise<string> {
  const start = stage.queueName();
  const calls = new Record<{ readonly id: string; readonly error?: unknown }>();
  await stage.serve(service("msg", {
    dependencies: { publish: publisher(options) },
    entrypoints: { do: consume(queue(start)) },
    handlers: {
      async do({ publish, call }) {
        const error = await act(publish).then(() => undefined, (error) => error);
        calls.add({ id: call.id, ...(error !== undefined && { error }) });
      },
    },
  }));
  await stage.publish({ exchange: "", routingKey: start, body: "", properties: { headers } });
  const [call] = await calls.reaches(1);
  if (call?.error !== undefined) throw call.error;
  return call!.id;
}

/** An exchange and a queue bound to it by `k1`, as Nameko's service in the capture had them. */
async function bound(stage: MessagingStage): Promise<{ readonly name: string; readonly inbox: Inbox }> {
  const transport = await stage.own();
  const name = await stage.exchange(transport, "direct");
  return { name, inbox: await stage.open(await stage.boundQueue(transport, name, "k1")) };
}

messagingTest(
  "a message through an own exchange is on the wire as Nameko's Publisher writes it",
  async (stage) => {
    const { name, inbox } = await bound(stage);
    const id = await publishing(
      stage,
      { exchange: exchange(name, { autoDelete: true }), routingKey: "k1" },
      (publish) => publish({ a: 1 }),
      CONTEXT,
    );
    const { delivery, text, settle } = await inbox.next();
    settle("ack");
    assert.equal(text, '{"a":1}');
    assert.deepEqual([delivery.exchange, delivery.routingKey], [name, "k1"]);
    assert.deepEqual(delivery.properties, {
      contentType: "application/json",
      contentEncoding: "utf-8",
      deliveryMode: 2,
      priority: 0,
      headers: { ...CONTEXT, "nameko.call_id_stack": [...CONTEXT["nameko.call_id_stack"], id] },
    });
  },
);

messagingTest(
  "a message without an exchange goes through the default one to the queue that is named",
  async (stage) => {
    const target = stage.queueName();
    await publishing(
      stage,
      { routingKey: target, declare: [queue(target)] },
      (publish) => publish("to-queue"),
    );
    const { delivery, text, settle } = await (await stage.open(target)).next();
    settle("ack");
    assert.equal(text, '"to-queue"');
    assert.deepEqual([delivery.exchange, delivery.routingKey], ["", target]);
  },
);

messagingTest(
  "raw text is utf-8 and raw bytes are binary, as Nameko's serializer raw writes them",
  async (stage) => {
    const { name, inbox } = await bound(stage);
    await publishing(
      stage,
      { exchange: name, routingKey: "k1", serializer: rawSerializer },
      async (publish) => {
        await publish("raw text");
        await publish(new Uint8Array([0, 255]));
      },
    );
    const [text, bytes] = [await inbox.next(), await inbox.next()];
    for (const { settle } of [text, bytes]) settle("ack");
    assert.equal(text.text, "raw text");
    assert.deepEqual([...bytes.delivery.body], [0, 255]);
    const types = [text, bytes].map(({ delivery: { properties } }) => [
      properties.contentType,
      properties.contentEncoding,
    ]);
    assert.deepEqual(types, [["application/data", "utf-8"], ["application/data", "binary"]]);
  },
);

messagingTest("a message has every property that it is given, and kombu's compression", async (stage) => {
  const { name, inbox } = await bound(stage);
  const properties = {
    deliveryMode: 1,
    priority: 7,
    correlationId: "cid",
    replyTo: "rt",
    messageId: "mid",
    timestamp: 1_234_567_890,
    type: "mytype",
    userId: "guest",
    appId: "myapp",
  } as const;
  await publishing(stage, { exchange: name, routingKey: "k1" }, (publish) =>
    publish({ a: 1 }, {
      ...properties,
      expiration: 60_000.4,
      mandatory: true,
      headers: { init: 1 },
      compression: "gzip",
    }));
  const { delivery, settle } = await inbox.next();
  settle("ack");
  const { headers = {}, ...rest } = delivery.properties;
  assert.deepEqual(rest, {
    ...properties,
    expiration: "60000",
    contentType: "application/json",
    contentEncoding: "utf-8",
  });
  assert.equal(headers["init"], 1);
  assert.equal(headers["compression"], "application/x-gzip");
  assert.equal(decoder.decode(inflateSync(delivery.body)), '{"a":1}');
});

messagingTest(
  "options of a call win over those of the definition, and context data over all headers",
  async (stage) => {
    const { name, inbox } = await bound(stage);
    await publishing(
      stage,
      {
        exchange: "nowhere",
        routingKey: "k2",
        priority: 1,
        type: "definition",
        appId: "definition",
        serializer: textSerializer,
        headers: { both: "definition", defined: true, "nameko.language": "definition" },
      },
      (publish) =>
        publish("x", {
          exchange: name,
          routingKey: "k1",
          priority: 2,
          type: "call",
          appId: undefined,
          headers: { both: "call", called: true, "nameko.user_id": 0 },
        }),
      CONTEXT,
    );
    const { delivery, text, settle } = await inbox.next();
    settle("ack");
    const { headers = {}, ...properties } = delivery.properties;
    assert.equal(text, "x");
    assert.deepEqual(properties, {
      contentType: "text/plain",
      contentEncoding: "utf-8",
      deliveryMode: 2,
      priority: 2,
      type: "call",
      appId: "definition",
    });
    const { "nameko.call_id_stack": _stack, ...shown } = headers;
    assert.deepEqual(shown, {
      both: "call",
      defined: true,
      called: true,
      "nameko.language": "en-gb",
      "nameko.user_id": 7,
      "nameko.auth_token": "tok",
      "nameko.user_agent": "UA/1",
    });
  },
);

messagingTest("a mandatory message that no queue takes is an UnroutableError", async (stage) => {
  const { name } = await bound(stage);
  const unbound = publishing(
    stage,
    { exchange: name, routingKey: "k2", mandatory: true },
    (publish) => publish(1),
  );
  await assert.rejects(unbound, UnroutableError);
});

messagingTest("a message that no queue takes is dropped where it is not mandatory", async (stage) => {
  const { name } = await bound(stage);
  await publishing(stage, { exchange: name, routingKey: "k2" }, (publish) => publish(1));
});

messagingTest("a message to an exchange that is not there is a BrokerError", async (stage) => {
  const missing = stage.name("missing");
  const lost = publishing(stage, { exchange: missing }, (publish) => publish(1));
  await assert.rejects(lost, BrokerError);
});

messagingTest(
  "publisher() declares its exchange and what else it is to declare before anything starts",
  async (stage) => {
    const [own, other, target] = [stage.exchangeName(), stage.exchangeName(), stage.queueName()];
    const source = exchange(own, { autoDelete: true });
    const sink = exchange(other, { type: "fanout", autoDelete: true });
    await stage.serve(service("msg", {
      dependencies: {
        publish: publisher({
          exchange: source,
          declare: [sink, queue(target, { exchange: source, routingKey: "k" })],
        }),
      },
      entrypoints: {},
      handlers: {},
    }));
    await stage.publish({ exchange: own, routingKey: "k", body: "", properties: {} });
    await stage.boundQueue(await stage.own(), other, "");
  },
);

for (const options of [{ expiration: -1 }, { expiration: NaN }, { priority: 256 }, { priority: 0.5 }]) {
  messagingTest(`a message with ${JSON.stringify(options)} is refused before it is sent`, async (stage) => {
    const refused = publishing(stage, { routingKey: "k" }, (publish) => publish(1, options));
    await assert.rejects(refused, RangeError);
  });
}

Deno.test("publisher() passes on the context data of a call and not its deadline", async () => {
  const sent: Message[] = [];
  const host = { publish: (_call: Call, message: Message) => Promise.resolve(void sent.push(message)) };
  const headers = encodeCallHeaders({ stack: [], data: { language: "de" }, deadline: Date.now() + 1_000 });
  const call = new CallScope({ method: "do", kind: "rpc", options: {} }, { headers }, {
    service: "msg",
    parentCallsTracked: 0,
    logFor: () => {
      throw new Error("Nothing is logged here");
    },
  });
  const publish = await publisher().bind(host as unknown as DependencyHost).get(call);
  await publish(1);
  assert.deepEqual(sent[0]?.properties.headers, {
    "nameko.language": "de",
    "nameko.call_id_stack": [call.id],
  });
});
