import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { consume, exchange, publisher, queue } from "../../../extensions/messaging/mod.ts";
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

namekoTest("Nameko's Consumer and Publisher understand ours, and declare what we declare", async (uri) => {
  await using stage = new MessagingStage({
    async transport() {
      const transport = amqp(uri);
      await transport.connect();
      return transport;
    },
    async [Symbol.asyncDispose]() {},
  });
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
