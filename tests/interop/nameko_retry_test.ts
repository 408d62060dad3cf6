import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { DEFAULT_EXCHANGE } from "../../extensions/rpc/settings.ts";
import { rpcTopology } from "../../extensions/rpc/topology.ts";
import { connect, run } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import { NamekoProcess, namekoTest } from "../fixtures/nameko.ts";
import { RUN } from "../fixtures/run_name.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

const OURS = `enoki_test_retrying${RUN}`;
const MODULE = `${servicePath("interop.ts")}:${OURS}`;
const QUEUE = rpcTopology(DEFAULT_EXCHANGE).queueOf(OURS);

/** Queue of nameko-amqp-retry for the time that `serve_retry.py` waits. */
const PYTHON_DELAY = "backoff--1530ms";
const OUR_DELAY = `enoki.delay.1500.${DEFAULT_EXCHANGE}.${OURS}.patient`;

/** Both worlds on a queue that is new. */
async function open(uri: string) {
  await using opening = new AsyncDisposableStack();
  const transport = opening.use(amqp(uri));
  await transport.connect();
  await transport.deleteQueue(QUEUE);
  opening.defer(() => transport.deleteQueue(QUEUE));
  // With an expiration in a request, nameko-amqp-retry dies.
  const cluster = await connect({ broker: uri, timeout: 20_000, config: { rpc_expiration: false } });
  opening.defer(() => cluster.close());
  const stack = opening.move();
  return {
    transport,
    python: (script: string) => NamekoProcess.start(script, uri, OURS),
    ours: () => run([MODULE], { broker: uri, threads: { permissions: "all" } }),
    remote: cluster.client(OURS),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Resolves when a message waits in a queue. */
async function waits(transport: Transport, queue: string): Promise<void> {
  while (!(await transport.countMessages(queue) ?? 0)) await new Promise((resolve) => setTimeout(resolve, 5));
}

namekoTest("we answer a request that nameko-amqp-retry sends again", async (uri) => {
  await using stage = await open(uri);
  const call = await (async () => {
    await using _python = await stage.python("serve_retry.py");
    const call = stage.remote["patient"]!("enoki");
    await waits(stage.transport, PYTHON_DELAY);
    // By the time that it answers another request, it has acked the first.
    assert.equal(await stage.remote["patient"]!("python"), "python");
    return { answer: call };
  })();
  await using _ours = await stage.ours();
  const { by, facts } = await call.answer as { by: string; facts: { stack: string[]; headers: object } };
  assert.equal(by, "enoki");
  assert.match(facts.stack.at(-2)!, /\.backoff$/);
  assert.equal("rpc_method_id" in facts.headers, false);
});

for (const [peer, script] of [["Nameko", "serve.py"], ["nameko-amqp-retry", "serve_retry.py"]] as const) {
  namekoTest(`${peer} answers a request that we send again`, async (uri) => {
    await using stage = await open(uri);
    const call = await (async () => {
      await using _ours = await stage.ours();
      const call = stage.remote["patient"]!("python");
      await waits(stage.transport, OUR_DELAY);
      return { answer: call };
    })();
    await using _python = await stage.python(script);
    assert.equal(await call.answer, "python");
  });
}

namekoTest("we wait for the last attempt of nameko-amqp-retry", async (uri) => {
  await using stage = await open(uri);
  await using _python = await stage.python("serve_retry.py");
  assert.equal(await stage.remote["eventually"]!(), 2);
});
