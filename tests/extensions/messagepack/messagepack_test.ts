import assert from "node:assert/strict";
import { messagepack } from "../../../extensions/messagepack/mod.ts";
import { consume, publisher, queue } from "../../../extensions/messaging/mod.ts";
import { service } from "../../../runtime/service/service.ts";
import { Record } from "../events/event_stage.ts";
import { messagingTest } from "../messaging/messaging_stage.ts";

Deno.test("messagepack is what kombu calls msgpack", () => {
  assert.equal(messagepack.contentType, "application/x-msgpack");
  assert.equal(messagepack.contentEncoding, "binary");
});

Deno.test("messagepack writes what Python's msgpack reads", () => {
  // msgpack.packb({"a": [1, 2.5, None, "é", b"\x01"]}, use_bin_type=True)
  const packed = Uint8Array.from([
    129,
    161,
    97,
    149,
    1,
    203,
    64,
    4,
    0,
    0,
    0,
    0,
    0,
    0,
    192,
    162,
    195,
    169,
    196,
    1,
    1,
  ]);
  const value = { a: [1, 2.5, null, "é", new Uint8Array([1])] };
  assert.deepEqual(messagepack.encode(value), packed);
  assert.deepEqual(messagepack.decode(packed), value);
});

Deno.test("messagepack refuses a body that is cut off", () => {
  assert.throws(() => messagepack.decode(new Uint8Array([129, 161])));
});

messagingTest("MessagePack goes from publisher to consumer", async (stage) => {
  const [start, target] = [stage.queueName(), stage.queueName()];
  const handled = new Record<unknown>();
  await stage.serve(service("packing", {
    dependencies: { publish: publisher({ routingKey: target, serializer: messagepack }) },
    entrypoints: {
      start: consume(queue(start)),
      unpack: consume(queue(target), { serializers: [messagepack] }),
    },
    handlers: {
      start: ({ publish }) => publish({ bytes: new Uint8Array([1, 2]), at: new Date(0) }),
      unpack: (_context, payload, { properties }) =>
        handled.add([payload, properties.contentType, properties.contentEncoding]),
    },
  }));
  await stage.publish({ exchange: "", routingKey: start, body: "", properties: {} });
  assert.deepEqual(await handled.reaches(1), [
    [{ bytes: new Uint8Array([1, 2]), at: new Date(0) }, "application/x-msgpack", "binary"],
  ]);
});

messagingTest("MessagePack is buried where no consumer names its serializer", async (stage) => {
  const name = stage.queueName();
  await stage.serve(service("unpacking", {
    entrypoints: { unpack: consume(queue(name)) },
    handlers: { unpack() {} },
  }));
  const properties = { contentType: "application/x-msgpack" };
  await stage.publish({ exchange: "", routingKey: name, body: messagepack.encode(1), properties });
  const { delivery, settle } = await (await stage.dead(name)).next();
  settle("ack");
  assert.match(
    String(delivery.properties.headers?.["x-enoki-dead-error"]),
    /content type "application\/x-msgpack"/,
  );
});

Deno.test("MessagePack keeps integers beyond 2⁵³ as bigints, and refuses them without", () => {
  const exact = messagepack.withBigints!(true);
  const value = { list: [2n ** 63n, -(2n ** 63n), 7, 2 ** 40], bytes: new Uint8Array([0xcf]) };
  const written = exact.encode(value);
  assert.deepEqual(exact.decode(written as Uint8Array<ArrayBuffer>), value);
  assert.throws(() => messagepack.decode(written as Uint8Array<ArrayBuffer>), {
    name: "RangeError",
    message: /Set bigints: true/,
  });
  assert.throws(() => messagepack.encode(value), { name: "TypeError", message: /Set bigints: true/ });
  assert.throws(() => exact.encode([2n ** 64n]), { name: "RangeError", message: /more than 64 bits/ });
  assert.deepEqual(messagepack.decode(messagepack.encode([2 ** 40, -1]) as Uint8Array<ArrayBuffer>), [
    2 ** 40,
    -1,
  ]);
});
