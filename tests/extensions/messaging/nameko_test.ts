import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { consume, exchange, publisher, queue, requester } from "../../../extensions/messaging/mod.ts";
import { rawSerializer } from "../../../runtime/message/serializer.ts";
import { service } from "../../../runtime/service/service.ts";
import { NamekoProcess, namekoTest } from "../../fixtures/nameko.ts";
import { Record } from "../events/event_stage.ts";
import { MessagingStage } from "./messaging_stage.ts";

/** What the Python consumer saw of a message. */
interface Seen {
  readonly body: unknown;
  readonly data: { readonly [key: string]: unknown };
  readonly stack: readonly string[];
}

function stageOf(uri: string): MessagingStage {
  return new MessagingStage({
    async transport() {
      const transport = amqp(uri);
      await transport.connect();
      return transport;
    },
    async [Symbol.asyncDispose]() {},
  });
}

namekoTest("Nameko's Consumer and Publisher understand ours, and declare what we declare", async (uri) => {
  await using stage = stageOf(uri);
  const [start, source, target] = [stage.queueName(), stage.queueName(), stage.queueName()];
  const topic = exchange(source, { type: "topic", autoDelete: true });
  const theirs = queue(source, { exchange: topic, routingKey: "a.*", maxPriority: 5, messageTtl: 60_000 });
  const answers = new Record<readonly [Seen, string | undefined]>();
  const calls: string[] = [];
  await stage.serve(service("ours", {
    dependencies: { publish: publisher({ exchange: topic, routingKey: "a.b", declare: [theirs] }) },
    entrypoints: { start: consume(queue(start)), answer: consume<Seen>(queue(target)) },
    handlers: {
      async start({ publish, call }) {
        calls.push(call.id);
        await publish({ n: 2 ** 53, text: "é" }, { headers: { own: 1.5 }, priority: 3 });
        await publish("raw", { serializer: rawSerializer, compression: "gzip" });
      },
      answer(_context, seen, { properties }) {
        answers.add([seen, properties.correlationId]);
      },
    },
  }));
  await using _python = await NamekoProcess.start("messaging.py", uri, source, target);
  await stage.publish({
    exchange: "",
    routingKey: start,
    body: "",
    properties: { headers: { "nameko.language": "de", "nameko.small": -5 } },
  });
  const seen = (await answers.reaches(2)).toSorted(([a], [b]) => typeof a.body < typeof b.body ? -1 : 1);
  const context = { language: "de", small: -5 };
  const [[json, correlationId], [raw]] = seen as [typeof seen[number], typeof seen[number]];
  assert.deepEqual(json.body, { n: 2 ** 53, text: "é" });
  assert.deepEqual(json.data, { own: 1.5, ...context });
  assert.equal(json.stack[0], calls[0]);
  assert.equal(correlationId, "from python");
  assert.equal(raw.body, "raw");
  assert.deepEqual(raw.data, { compression: "application/x-gzip", ...context });
});

namekoTest(
  "a consumer that replies answers the clients of RabbitMQ's and of kombu's tutorial",
  async (uri) => {
    await using stage = stageOf(uri);
    const name = stage.queueName();
    const increase = (n: number) => {
      if (!Number.isInteger(n)) throw new RangeError("no number");
      return n + 1;
    };
    await stage.serve(service("ours", {
      entrypoints: { increase: consume(queue(name), { reply: true }) },
      handlers: {
        increase: (_context, payload) =>
          payload instanceof Uint8Array
            ? increase(Number(new TextDecoder().decode(payload)))
            : { result: increase((payload as { n: number }).n) },
      },
    }));
    await using python = await NamekoProcess.start("fibonacci.py", uri, "ask", name);
    const contentType = "application/json";
    assert.deepEqual(await python.ask({ body: { n: 1 }, plain: false }), {
      body: '{"result":2}',
      contentType,
      type: null,
    });
    assert.deepEqual(await python.ask({ body: 1, plain: true }), { body: "2", contentType, type: null });
    const { body, type } = await python.ask({ body: { n: "x" }, plain: false }) as {
      body: string;
      type: string;
    };
    assert.deepEqual([JSON.parse(body).exc_type, type], ["RangeError", "error"]);
  },
);

namekoTest("a requester has answers of the servers of RabbitMQ's and of kombu's tutorial", async (uri) => {
  await using stage = stageOf(uri);
  const [name, start] = [stage.queueName(), stage.queueName()];
  const answers = new Record<unknown>();
  await stage.serve(service("ours", {
    dependencies: { ask: requester({ routingKey: name, timeout: 20_000 }) },
    entrypoints: { start: consume(queue(start), { prefetch: 1 }) },
    handlers: {
      async start({ ask }, request) {
        answers.add(await ask(request));
      },
    },
  }));
  await using _python = await NamekoProcess.start("fibonacci.py", uri, "serve", name);
  for (const body of ['{"n": 10}', "10"]) {
    const properties = { contentType: "application/json" };
    await stage.publish({ exchange: "", routingKey: start, body, properties });
  }
  // RabbitMQ's tutorial answers by text without a content type.
  assert.deepEqual(await answers.reaches(2), [{ result: 55 }, 55]);
});
