/** What `RPC_DELIVERY` and `persistent` are on the wire, and what becomes of such calls when something fails. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect as connectRaw } from "amqplib";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { connect, run } from "../../../extensions/run.ts";
import { CallTimeoutError, rpc, service, UnknownServiceError } from "../../../mod.ts";
import type { Config } from "../../../runtime/config/file.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { PrivateRabbitmq } from "../../fixtures/private_rabbitmq.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

configureLogging({ write: () => {} });

const TRANSIENT: Config = { RPC_DELIVERY: "transient" };

const inline = { threads: { kind: "inline" } } as const;

/** Names of its own for a service and its exchange, which are removed at the end. */
function ownNames(uri: string) {
  const name = `enoki_test_delivery_${crypto.randomUUID().slice(0, 8)}`;
  return {
    name,
    config: { rpc_exchange: name },
    async [Symbol.asyncDispose]() {
      const connection = await connectRaw(uri);
      const channel = await connection.createChannel();
      await channel.deleteQueue(`rpc-${name}`);
      await channel.deleteExchange(name);
      await connection.close();
    },
  };
}

/** Gives the delivery modes of all that passes an exchange, as amqplib reads them. */
async function modesAt(uri: string, exchange: string) {
  const connection = await connectRaw(uri);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "#");
  const seen: unknown[] = [];
  let wake = () => {};
  await channel.consume(queue, (message) => {
    seen.push(message!.properties.deliveryMode);
    wake();
  }, { noAck: true });
  return {
    async next(count: number): Promise<unknown[]> {
      while (seen.length < count) await new Promise<void>((resolve) => wake = resolve);
      return seen.splice(0, count);
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

brokerTest("A request has the delivery mode that is asked for, and its reply has the same", async (uri) => {
  await using own = ownNames(uri);
  const { name, config } = own;
  const echo = service(name, {
    entrypoints: { echo: rpc(), fail: rpc() },
    handlers: {
      echo: (_context, value: unknown) => value,
      fail: () => {
        throw new Error("no");
      },
    },
  });
  await using _running = await run([echo], { broker: uri, config, ...inline });
  await using persistent = await connect({ broker: uri, config });
  await using transient = await connect({ broker: uri, config: { ...config, ...TRANSIENT } });
  await using modes = await modesAt(uri, name);
  for (
    const [client, wanted] of [
      [persistent.client(name), 2],
      [persistent.client(name, { persistent: false }), 1],
      [persistent.client(name, { deliveryMode: 1 }), 1],
      [transient.client(name), 1],
      [transient.client(name, { persistent: true }), 2],
    ] as const
  ) {
    assert.equal(await client["echo"]!("Ada"), "Ada");
    await assert.rejects(client["fail"]!(), { name: "RemoteError" });
    await assert.rejects(client["absent"]!(), { name: "MethodNotFoundError" });
    assert.deepEqual(await modes.next(6), Array(6).fill(wanted));
  }
  assert.equal(await persistent.client(name)["echo"]!.with({ persistent: false })("Ada"), "Ada");
  assert.deepEqual(await modes.next(2), [1, 1]);
});

brokerTest("A transient call to a service that nobody serves fails at once", async (uri) => {
  await using own = ownNames(uri);
  await using cluster = await connect({ broker: uri, config: { ...own.config, ...TRANSIENT } });
  await assert.rejects(cluster.client(own.name)["hello"]!(), UnknownServiceError);
});

brokerTest(
  "A transient call is answered although the connections of both sides are cut meanwhile",
  async (uri) => {
    await using own = ownNames(uri);
    const { name, config } = own;
    await using callers = await SeverableProxy.open(uri);
    await using services = await SeverableProxy.open(uri);
    let runs = 0;
    const began = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = service(name, {
      entrypoints: { wait: rpc() },
      handlers: {
        async wait() {
          runs++;
          began.resolve();
          await release.promise;
          return runs;
        },
      },
    });
    await using _running = await run([slow], { broker: services.uri, config, ...inline });
    await using cluster = await connect({ broker: callers.uri, config: { ...config, ...TRANSIENT } });
    const call = cluster.client(name)["wait"]!();
    await began.promise;
    await Promise.all([callers.sever(), services.sever()]);
    release.resolve();
    assert.ok(await call as number >= 1);
  },
);

Deno.test({
  name:
    "A restart of the broker keeps persistent calls, and ends transient ones with their timeout at the latest",
  ignore: !await PrivateRabbitmq.isInstalled(),
  async fn() {
    await using node = await PrivateRabbitmq.open();
    const name = "enoki_test_restarted";
    const topology = rpcTopology("nameko-rpc");
    // So that it is not their expiration that takes the requests away.
    const config = { rpc_expiration: false };
    await using cluster = await connect({ broker: node.uri, timeout: 60_000, config });
    await using transport = amqp(node.uri);
    await transport.connect();
    await transport.declare(topology.service(name));
    const client = cluster.client(name);
    const waiting = () => transport.countMessages(topology.queueOf(name));
    const kept = client["echo"]!("kept");
    while (await waiting() !== 1) await nextTurn();
    const lost = client["echo"]!.with({ persistent: false, timeout: 5_000 })("lost");
    const failed = assert.rejects(lost, CallTimeoutError);
    while (await waiting() !== 2) await nextTurn();
    await node.saveDeclarations();
    await node.stop();
    await node.start();
    assert.equal(await waiting(), 1);
    const echoed: unknown[] = [];
    const echo = service(name, {
      entrypoints: { echo: rpc() },
      handlers: { echo: (_context, value: unknown) => (echoed.push(value), value) },
    });
    await using _running = await run([echo], { broker: node.uri, ...inline });
    assert.equal(await kept, "kept");
    assert.equal(await client["echo"]!.with({ persistent: false })("later"), "later");
    assert.deepEqual(echoed, ["kept", "later"]);
    await failed;
  },
});
