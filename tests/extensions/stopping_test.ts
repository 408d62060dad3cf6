import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { SeverableProxy } from "../fixtures/severable_proxy.ts";

configureLogging({ write: () => {} });

const SERVICE = "enoki_test_endless";

const GRACE = 200;

/** Milliseconds within which a stop ends, in addition to the grace. */
const LIMIT = 2_000;

/** The network as it is when the stop begins. */
const NETWORKS: Readonly<Record<string, (proxy: SeverableProxy) => Promise<void>>> = {
  works: () => Promise.resolve(),
  async "is cut"(proxy) {
    proxy.down = true;
    await proxy.sever();
  },
  "forwards nothing"(proxy) {
    proxy.stall();
    return Promise.resolve();
  },
  async "forwards nothing to a new connection"(proxy) {
    proxy.stall();
    await proxy.sever();
  },
};

for (const [network, enter] of Object.entries(NETWORKS)) {
  for (const work of ["idle", "with a call that never ends"]) {
    brokerTest(
      `Running.shutdown() keeps to the grace, ${work}, while the network ${network}`,
      async (uri) => {
        await using proxy = await SeverableProxy.open(uri);
        const running = await run([servicePath("endless.ts")], {
          broker: proxy.uri,
          config: { grace: GRACE / 1_000 },
          threads: { permissions: "all" },
        });
        const container = running.containers.get(SERVICE)!;
        const body = '{"args": [], "kwargs": {}}';
        const call = work === "idle"
          ? undefined
          : container.run({ entrypoint: 0, body, contentType: undefined, headers: undefined });
        await enter(proxy);
        const start = performance.now();
        await running.shutdown();
        await running.finished;
        const took = performance.now() - start;
        assert.ok(took < GRACE + LIMIT, `${took} ms`);
        assert.equal(container.state, "stopped");
        assert.equal((await call)?.status, call && "unstarted");
      },
    );
  }
}

brokerTest("run() gives up its start while the broker is silent", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  const stop = new AbortController();
  const start = performance.now();
  const starting = run([servicePath("endless.ts")], {
    broker: proxy.uri,
    threads: { permissions: "all" },
    signal: stop.signal,
    onProgress({ step }) {
      if (step !== "serving") return;
      proxy.stall();
      setTimeout(() => stop.abort(new Error("stopped")), 0);
    },
  });
  await assert.rejects(starting, /stopped/);
  const took = performance.now() - start;
  assert.ok(took < 3 * LIMIT, `${took} ms`);
});

brokerTest("Connection.close() ends within its limit while the broker is silent", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  const cluster = await connect({ broker: amqp(proxy.uri, { flushTimeout: 300 }) });
  await assert.rejects(cluster.client("enoki_test_absent").hello!());
  proxy.stall();
  const call = assert.rejects(cluster.client("enoki_test_absent").hello!());
  const start = performance.now();
  await cluster.close();
  const took = performance.now() - start;
  assert.ok(took < LIMIT, `${took} ms`);
  await call;
});

brokerTest("Transport.close() spends its limit only once while the broker is silent", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  const transport = amqp(proxy.uri);
  await transport.connect();
  const queue = `enoki_test_${crypto.randomUUID()}`;
  await transport.declare({ queues: [{ name: queue, exclusive: true }] });
  await transport.consume(queue, () => Promise.resolve("ack"), { prefetch: 1 });
  proxy.stall();
  const message = { exchange: "", routingKey: queue, body: "", properties: {} };
  const refused = assert.rejects(transport.publish(message), /the transport was closed before broker/);
  const start = performance.now();
  await transport.close({ limit: 400 });
  const took = performance.now() - start;
  assert.ok(took >= 350 && took < 750, `${took} ms`);
  await refused;
});
