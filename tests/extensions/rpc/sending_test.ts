import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { messagepack } from "../../../extensions/messagepack/mod.ts";
import type { CallOptions } from "../../../extensions/rpc/mod.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { connect, run } from "../../../extensions/run.ts";
import { client, rpc, type Serializer, service } from "../../../mod.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { Config } from "../../../runtime/config/file.ts";
import type { Delivery } from "../../../runtime/message/transport.ts";

configureLogging({ write: () => {} });

/** A serializer that only the service's own code has. */
const REVERSED: Serializer = {
  contentType: "application/x-reversed",
  contentEncoding: "utf-8",
  encode: (value) => [...JSON.stringify(value)].reverse().join(""),
  decode: (body) =>
    JSON.parse([...(typeof body === "string" ? body : new TextDecoder().decode(body))].reverse().join("")),
};

const shop = service("enoki_test_sending", {
  entrypoints: {
    echo: rpc({ serializers: [messagepack, REVERSED] }),
    fail: rpc({ serializers: [REVERSED] }),
    json: rpc(),
  },
  handlers: {
    echo: (_ctx, value: unknown) => value,
    fail: () => {
      throw new RangeError("too much");
    },
    json: (_ctx, value: unknown) => value,
  },
});

async function serve(config: Config = {}) {
  const broker = new MemoryBroker();
  const stack = new AsyncDisposableStack();
  stack.use(await run([shop], { broker: memory({ broker }), config }));
  const cluster = stack.use(await connect({ broker: memory({ broker }), config }));
  return Object.assign(stack, { broker, cluster });
}

Deno.test("A client sends and reads what its options say", async (t) => {
  await using served = await serve();
  const { cluster } = served;
  const shopOf = (options: CallOptions) => cluster.client<typeof shop>("enoki_test_sending", options);

  await t.step("in a serializer that the method reads", async () => {
    const bytes = new Uint8Array([1, 2, 255]);
    assert.deepEqual(await shopOf({ serializer: messagepack }).echo(bytes), bytes);
    assert.deepEqual(await shopOf({ serializer: REVERSED, compression: "gzip" }).echo({ a: [1] }), {
      a: [1],
    });
    assert.equal(await shopOf({ serializer: REVERSED }).echo(undefined), null);
  });

  await t.step("and gets failures in it, or in JSON where only the main thread knows of them", async () => {
    await assert.rejects(shopOf({ serializer: REVERSED }).fail(), {
      name: "RemoteError",
      remoteName: "RangeError",
    });
    for (const serializer of [REVERSED, messagepack]) {
      await assert.rejects(shopOf({ serializer }).json(1), {
        name: "BadRequestError",
        reason: "MalformedRequest",
        message: /the accepted types are application\/json$/,
      });
      const others = cluster.client("enoki_test_sending", { serializer });
      await assert.rejects(others["absent"]!(), { name: "MethodNotFoundError" });
    }
  });
});

Deno.test("A request has the properties that its client gives it", async () => {
  await using served = await serve();
  const topology = rpcTopology("nameko-rpc");
  await using transport = memory({ broker: served.broker });
  await transport.connect();
  await transport.declare(topology.service("enoki_test_nobody"));
  const nobody = served.cluster.client("enoki_test_nobody", {
    serializer: messagepack,
    compression: "gzip",
    priority: 7,
    persistent: false,
    timeout: 60_000,
  });
  const stop = new AbortController();
  const asked = nobody["hello"]!.with({ expiration: 5_000, signal: stop.signal })("Ada");
  const settled = assert.rejects(asked);
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const consumer = await transport.consume(topology.queueOf("enoki_test_nobody"), (delivery) => {
    resolve(delivery);
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  const { properties: { contentType, contentEncoding, priority, deliveryMode, expiration, headers } } =
    await promise;
  assert.deepEqual([contentType, contentEncoding, priority, deliveryMode, headers?.["compression"]], [
    "application/x-msgpack",
    "binary",
    7,
    1,
    "application/x-gzip",
  ]);
  assert.ok(Number(expiration) <= 5_000);
  stop.abort();
  await settled;
  await consumer.stop();
});

Deno.test("The configured serializer is that of requests, and ACCEPT that of what is read", async () => {
  await using served = await serve({ serializer: "msgpack" });
  const bytes = new Uint8Array([1, 2]);
  const shopOf = (options: CallOptions = {}) =>
    served.cluster.client<typeof shop>("enoki_test_sending", options);
  assert.deepEqual(await shopOf().json(bytes), bytes);
  const { jsonSerializer } = await import("../../../runtime/message/payload/exact_json.ts");
  await assert.rejects(shopOf({ serializer: jsonSerializer }).json(1), {
    reason: "MalformedRequest",
    message: /content type "application\/json": the accepted types are application\/x-msgpack$/,
  });
});

Deno.test("A serializer of the configuration may have a content type of its own", async () => {
  const SERIALIZERS = { packed: { built_in: "msgpack", content_type: "application/x-packed" } };
  await using served = await serve({ serializer: "packed", ACCEPT: ["json", "packed"], SERIALIZERS });
  const { json } = served.cluster.client<typeof shop>("enoki_test_sending");
  assert.deepEqual(await json(new Uint8Array([1])), new Uint8Array([1]));
  await assert.rejects(served.cluster.client("enoki_test_sending")["absent"]!(), {
    name: "MethodNotFoundError",
  });
});

Deno.test("The configured bigints count for methods, clients and results", async () => {
  const large = 2n ** 70n;
  await using served = await serve({ bigints: true });
  assert.equal(await served.cluster.client<typeof shop>("enoki_test_sending").json(large), large);
  await using plain = await serve();
  const { json } = plain.cluster.client<typeof shop>("enoki_test_sending", { bigints: true });
  await assert.rejects(json(large), { reason: "MalformedRequest", message: /Set bigints: true/ });
});

Deno.test("A client refuses options that make no sense, when it is made and when it is called", () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ priority: 256 }, /priority 256: it must be from 0 to 255/],
    [{ priority: 1.5 }, /priority 1\.5/],
    [{ expiration: -1 }, /expiration -1: it must be a number of milliseconds, 0 or more/],
    [{ expiration: NaN }, /expiration NaN/],
    [{ deliveryMode: 3 }, /deliveryMode 3: it must be 1 or 2/],
    [{ persistent: 1 }, /persistent 1: it must be true or false/],
    [{ persistent: true, deliveryMode: 1 }, /persistent true and deliveryMode 1: they contradict each other/],
    [{ compression: "bzip2" }, /Cannot compress with "bzip2": only "gzip"/],
    [{ serializer: "msgpack" }, /serializer "msgpack": it is none\. Give an object, such as messagepack/],
  ];
  for (const [options, message] of refused) {
    assert.throws(() => client("x", options as CallOptions), { message });
  }
});
