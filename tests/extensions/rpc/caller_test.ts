import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect } from "../../../extensions/run.ts";
import { BrokerError, CallTimeoutError, UnknownServiceError } from "../../../runtime/message/errors.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
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
