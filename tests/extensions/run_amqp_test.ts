import { DEFAULT_EXCHANGE } from "../../extensions/rpc/settings.ts";
import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { rpcTopology } from "../../extensions/rpc/topology.ts";
import { connect, run } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { GateService } from "../fixtures/gate_service.ts";
import { serveInProcess } from "../fixtures/serve_in_process.ts";

configureLogging({ write: () => {} });

const MODULE = new URL("../fixtures/services/waiting.ts", import.meta.url);
const WAITING = "enoki_test_waiting";

/** Removes the request queue of the fixture now, and at the end. */
async function cleanQueue(uri: string): Promise<AsyncDisposable> {
  const remove = async () => {
    await using transport = amqp(uri);
    await transport.connect();
    await transport.deleteQueue(rpcTopology(DEFAULT_EXCHANGE).queueOf(WAITING));
  };
  await remove();
  return { [Symbol.asyncDispose]: remove };
}

brokerTest("A call whose process is killed is answered by another instance", async (uri) => {
  await using _clean = await cleanQueue(uri);
  await using gate = await GateService.open(amqp(uri));
  await using process = await serveInProcess(uri, "waiting.ts");
  await using cluster = await connect({ broker: uri });
  const call = cluster.client(WAITING).hold!("the power");
  await gate.arrival("the power");
  await process.kill();
  gate.open("the power");
  await using _other = await run([MODULE], { broker: uri, threads: { permissions: "all" } });
  assert.equal(await call, "the power");
});

brokerTest("A call that a forced stop cuts short is answered by another instance", async (uri) => {
  await using _clean = await cleanQueue(uri);
  await using gate = await GateService.open(amqp(uri));
  const config = { grace: 0.1 };
  const running = await run([MODULE], { broker: uri, config, threads: { permissions: "all" } });
  await using cluster = await connect({ broker: uri });
  const call = cluster.client(WAITING).hold!("the grace");
  await gate.arrival("the grace");
  await running.shutdown();
  gate.open("the grace");
  await using _other = await run([MODULE], { broker: uri, threads: { permissions: "all" } });
  assert.equal(await call, "the grace");
});

brokerTest(
  "A polite stop answers the running call and leaves the waiting ones to another instance",
  async (uri) => {
    await using _clean = await cleanQueue(uri);
    await using gate = await GateService.open(amqp(uri));
    const first = await run([MODULE], { broker: uri, threads: { permissions: "all", maxWorkers: 1 } });
    await using cluster = await connect({ broker: uri });
    const service = cluster.client(WAITING);
    const running = service.hold!("runs");
    const held = await gate.arrival("runs");
    const waiting = Array.from({ length: 10 }, (_, index) => service.echo!(index));
    const stopped = first.shutdown();
    await using _other = await run([MODULE], { broker: uri, threads: { permissions: "all" } });
    assert.deepEqual(await Promise.all(waiting), Array.from({ length: 10 }, (_, index) => index));
    held.release();
    assert.equal(await running, "runs");
    await stopped;
  },
);

brokerTest("Calls between services of one process travel over RabbitMQ", async (uri) => {
  const module = new URL("../fixtures/services/chain.ts", import.meta.url);
  await using _running = await run([module], { broker: uri, threads: { permissions: "all" } });
  await using cluster = await connect({ broker: uri, headers: { big: 2 ** 40, negative: -5, real: 1.5 } });
  const facts = await cluster.client("enoki_test_outer").trace!() as { headers: unknown; stack: string[] }[];
  assert.equal(facts.length, 3);
  assert.equal(facts[2]!.stack.length, 4);
  assert.deepEqual(facts[2]!.headers, { big: 2 ** 40, negative: -5, real: 1.5, added: "by outer" });
});
