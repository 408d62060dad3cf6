import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect } from "../../../extensions/run.ts";
import type { Config } from "../../../runtime/config/file.ts";
import { BrokerError, CallTimeoutError, UnknownServiceError } from "../../../runtime/message/errors.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import { replyHeaders } from "../../../extensions/rpc/least_times.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import type { Delivery } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

configureLogging({ write: () => {} });

Deno.test("RpcCaller.request() tries again to listen for replies after it could not", async () => {
  const broker = new MemoryBroker();
  await using other = memory({ broker });
  await other.connect();
  const exchange = "calls";
  await other.declare({
    exchanges: [{ name: exchange, type: "topic", autoDelete: true }],
    queues: [{ name: "holder" }],
    bindings: [{ queue: "holder", exchange, routingKey: "#" }],
  });
  await using cluster = await connect({ broker: memory({ broker }), config: { rpc_exchange: exchange } });
  const { hello } = cluster.client("enoki_test_absent");
  await assert.rejects(hello!(), BrokerError);
  await other.deleteQueue("holder");
  await assert.rejects(hello!(), UnknownServiceError);
});

Deno.test("RpcCaller.request() refuses to call once it is closed", async () => {
  const cluster = await connect({ broker: memory({ broker: new MemoryBroker() }) });
  const { hello } = cluster.client("enoki_test_absent");
  await assert.rejects(hello!(), UnknownServiceError);
  await cluster.close();
  await assert.rejects(
    hello!(),
    /^BrokerError: Cannot call "enoki_test_absent.hello": the caller is closed$/,
  );
});

Deno.test("RpcCaller rejects a call that was not sent yet when it is closed", async () => {
  const cluster = await connect({ broker: memory({ broker: new MemoryBroker() }) });
  const call = cluster.client("enoki_test_absent").hello!();
  const refused = assert.rejects(call, /closed before the answer came/);
  await cluster.close();
  await refused;
});

/** The first request that arrives when a program calls with `timeout`. Nobody answers it. */
async function requestWithin(timeout: number, config: Config = {}): Promise<Delivery["properties"]> {
  const broker = new MemoryBroker();
  await using server = memory({ broker });
  await server.connect();
  const { service, queueOf } = rpcTopology(DEFAULT_EXCHANGE);
  await server.declare(service("enoki_test_mute"));
  const arrived = Promise.withResolvers<Delivery["properties"]>();
  await server.consume(queueOf("enoki_test_mute"), ({ properties }) => {
    arrived.resolve(properties);
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  const cluster = await connect({ broker: memory({ broker }), timeout, config });
  const call = cluster.client("enoki_test_mute").hello!();
  const closed = assert.rejects(call, /closed before the answer came/);
  const properties = await arrived.promise;
  await cluster.close();
  await closed;
  return properties;
}

Deno.test("RpcCaller.request() lets a request expire when its caller gives up", async () => {
  const { expiration } = await requestWithin(5_000);
  assert.match(expiration ?? "", /^\d+$/);
  assert.ok(Number(expiration) > 4_000 && Number(expiration) <= 5_000, expiration);
});

Deno.test("RpcCaller.request() lets no request expire if rpc_expiration is false", async () => {
  assert.equal((await requestWithin(5_000, { rpc_expiration: false })).expiration, undefined);
});

Deno.test("RpcCaller.request() lets a request expire earlier once the service has said how long it takes", async () => {
  const broker = new MemoryBroker();
  await using server = memory({ broker });
  await server.connect();
  const { exchange, service, queueOf } = rpcTopology(DEFAULT_EXCHANGE);
  await server.declare(service("enoki_test_slow"));
  const expirations: number[] = [];
  await server.consume(queueOf("enoki_test_slow"), async ({ properties }) => {
    expirations.push(Number(properties.expiration));
    await server.publish({
      exchange,
      routingKey: properties.replyTo!,
      body: '{"result": null, "error": null}',
      properties: {
        contentType: "application/json",
        correlationId: properties.correlationId!,
        headers: expirations.length === 1 ? replyHeaders(20_000) : {},
      },
    });
    return "ack";
  }, { prefetch: 1 });
  await using cluster = await connect({ broker: memory({ broker }), timeout: 60_000 });
  for (let call = 0; call < 3; call++) await cluster.client("enoki_test_slow").hello!();
  assert.deepEqual(expirations.map((time) => Math.ceil(time / 5_000) * 5_000), [60_000, 35_000, 60_000]);
});

Deno.test("RpcCaller.request() sends no expiration that a broker refuses", async () => {
  for (const timeout of [2 ** 33, Infinity]) {
    assert.equal((await requestWithin(timeout)).expiration, undefined);
  }
});

brokerTest("RpcCaller.request() keeps its timeout while the broker is away", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  await using cluster = await connect({ broker: proxy.uri });
  proxy.down = true;
  await proxy.sever();
  await assert.rejects(cluster.client("enoki_test_absent", { timeout: 50 }).hello!(), CallTimeoutError);
});

brokerTest("RpcCaller is closed without waiting for a broker that is away", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  await using cluster = await connect({ broker: proxy.uri });
  await assert.rejects(cluster.client("enoki_test_absent").hello!(), UnknownServiceError);
  proxy.down = true;
  await proxy.sever();
  await cluster.close();
});

brokerTest("RpcCaller does not send a call after an outage that its caller has given up", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  await using server = amqp(uri);
  await server.connect();
  const name = `enoki_test_${crypto.randomUUID()}`;
  const { service, queueOf } = rpcTopology(DEFAULT_EXCHANGE);
  await server.declare(service(name));
  await using cluster = await connect({ broker: amqp(proxy.uri, { retryStart: 50, retryStep: 50 }) });
  const { hello } = cluster.client("enoki_test_absent");
  await assert.rejects(hello!(), UnknownServiceError);
  proxy.down = true;
  await proxy.sever();
  const caller = new AbortController();
  const given = Array.from(
    { length: 5 },
    () => assert.rejects(cluster.method(name, "hello").with({ signal: caller.signal })(), /given up/),
  );
  // A turn of the event loop later, the transport has all of them.
  await nextTurn();
  caller.abort(new Error("given up"));
  await Promise.all(given);
  proxy.down = false;
  await assert.rejects(hello!(), UnknownServiceError);
  assert.equal(await server.countMessages(queueOf(name)), 0);
  await server.deleteQueue(queueOf(name));
});
