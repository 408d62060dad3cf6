import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { publishCopyOf, UncopyableError } from "../../../runtime/hosting/message_copy.ts";
import type {
  FieldTable,
  Message,
  MessageProperties,
  Transport,
} from "../../../runtime/message/transport.ts";

/** A queue on a transport that can write headers of no more than so many bytes of JSON. */
async function stage(limit: number) {
  const transport = memory({ broker: new MemoryBroker() });
  await transport.connect();
  await transport.declare({ queues: [{ name: "q" }] });
  const published: Message[] = [];
  const tight: Transport = Object.assign(Object.create(transport) as Transport, {
    async publish(message: Message, options?: { readonly signal?: AbortSignal }) {
      const { headers, ...properties } = message.properties;
      if (JSON.stringify(headers).length > limit) throw new RangeError("the headers do not fit");
      for (const value of Object.values(properties)) {
        if (typeof value === "string" && value.length > 255) throw new TypeError("a property does not fit");
      }
      await transport.publish(message, options);
      published.push(message);
    },
  });
  const lines: string[] = [];
  const log = createLog({ emit: ({ message }) => lines.push(message) });
  const copy = (headers: FieldTable, properties: MessageProperties = {}) =>
    publishCopyOf(tight, {
      exchange: "",
      routingKey: "q",
      body: "body",
      mandatory: true,
      properties: { ...properties, headers: { ...headers, ours: 1 } },
    }, { signal: new AbortController().signal, own: { ours: 1 }, name: "a message", log });
  return { published, lines, copy, [Symbol.asyncDispose]: () => transport.close() };
}

Deno.test("a copy that can be written is published as it is", async () => {
  await using place = await stage(100_000);
  await place.copy({ big: "x".repeat(90_000) }, { messageId: "1" });
  assert.equal(place.published[0]!.properties.headers!["big"], "x".repeat(90_000));
  assert.deepEqual(place.lines, []);
});

Deno.test("a copy whose headers do not fit is published without the large ones, and the log names them", async () => {
  await using place = await stage(10_000);
  await place.copy({ blob: "x".repeat(20_000), small: { a: [1] } }, { messageId: "1" });
  const { headers, messageId } = place.published[0]!.properties;
  assert.deepEqual([headers, messageId], [{ ours: 1, small: { a: [1] } }, "1"]);
  assert.deepEqual(place.lines, ['Left header "blob" out of a copy of a message: the headers do not fit']);
});

Deno.test("a copy leaves out the headers and properties that cannot be written at all", async () => {
  await using place = await stage(10_000);
  let deep: FieldTable = {};
  for (let level = 0; level < 100; level++) deep = { deep };
  await place.copy({ deep, score: NaN, small: 1 }, {
    correlationId: "x".repeat(600),
    contentType: "text/plain",
  });
  const { headers, correlationId, contentType } = place.published[0]!.properties;
  assert.deepEqual([headers, correlationId, contentType], [{ ours: 1, small: 1 }, undefined, "text/plain"]);
  assert.match(
    place.lines[0]!,
    /^Left property "correlationId", header "deep", header "score" out of a copy/,
  );
});

Deno.test("a copy of which many small headers do not fit is published with as many as are sure to fit", async () => {
  await using place = await stage(20_000);
  await place.copy(Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`h${index}`, index])));
  const count = Object.keys(place.published[0]!.properties.headers!).length;
  assert.ok(count > 500 && count < 5_000, `${count}`);
  assert.match(place.lines[0]!, / and \d+ more out of a copy/);
});

Deno.test("a copy that fits only without all of its sender's headers is published so", async () => {
  await using place = await stage(100);
  await place.copy({ a: "x".repeat(500) }, { contentType: "text/plain", messageId: "1" });
  const { headers, ...properties } = place.published[0]!.properties;
  assert.deepEqual([headers, properties], [{ ours: 1 }, { contentType: "text/plain" }]);
});

Deno.test("a copy that cannot be written at all is a failure of its own, which names the message", async () => {
  await using place = await stage(5);
  await assert.rejects(place.copy({}), (error: Error) => {
    assert.ok(error instanceof UncopyableError);
    assert.equal(error.message, "Cannot publish a copy of a message: the headers do not fit");
    return true;
  });
  assert.deepEqual([place.published, place.lines], [[], []]);
});
