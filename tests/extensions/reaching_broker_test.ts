import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { Config } from "../../runtime/config/file.ts";
import { serveInMemory } from "../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

async function serveReaching(config: Config, services: readonly string[] = ["reaching", "other"]) {
  const broker = new MemoryBroker();
  const modules = services.map((name) => `reaching_broker.ts:${name}`);
  const running = await serveInMemory(broker, modules, { config });
  const cluster = await connect({ broker: memory({ broker }) });
  return {
    client: cluster.client("enoki_test_reaching"),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}

Deno.test("run() shows a service its own keys and those it may see, and no connection", async () => {
  await using served = await serveReaching({
    AMQP_URI: "amqp://u:p@host",
    CURRENCY: "EUR",
    HIDDEN: 1,
    services: { enoki_test_reaching: { config: { OWN: 1 }, config_keys: ["CURRENCY", "AMQP_URI"] } },
  });
  assert.deepEqual(await served.client.seen!(), { CURRENCY: "EUR", OWN: 1 });
});

Deno.test("run() lets a service publish and call only where its configuration says", async () => {
  await using served = await serveReaching({
    services: { enoki_test_reaching: { broker: { publish: ["enoki_test_letter*"] } } },
  });
  await served.client.send!({ routingKey: "enoki_test_letters" });
  const key = /"services\.enoki_test_reaching\.broker\.publish" does not allow it/;
  await assert.rejects(served.client.send!({ routingKey: "rpc-enoki_test_other" }), key);
  await assert.rejects(served.client.send!({ exchange: "enoki_test_shelf", routingKey: "" }), key);
  const CC = ["rpc-enoki_test_other"];
  await assert.rejects(served.client.send!({ routingKey: "enoki_test_letters", CC }), key);
  await assert.rejects(served.client.ask!(), key);
});

Deno.test("run() lets a service call what its configuration says", async () => {
  await using served = await serveReaching({
    services: { enoki_test_reaching: { broker: { publish: ["rpc-enoki_test_other"] } } },
  });
  assert.equal(await served.client.ask!(), "answer");
});

Deno.test("run() lets a service publish and call everywhere by default", async () => {
  await using served = await serveReaching({});
  await served.client.send!({ exchange: "enoki_test_shelf", routingKey: "" });
  assert.equal(await served.client.ask!(), "answer");
});

Deno.test("run() refuses a service that consumes what belongs to others", async () => {
  for (const name of ["listening", "tapping", "digging"]) {
    await assert.rejects(serveReaching({}, [name]), {
      name: "ConfigurationError",
      message: new RegExp(`in service "enoki_test_${name}": it belongs to others\\. Add`),
    });
  }
});

Deno.test("run() serves a service that consumes what belongs to others if its configuration says so", async () => {
  await using _served = await serveReaching({
    services: { enoki_test_digging: { broker: { consume: ["enoki.dead.*"] } } },
  }, ["digging"]);
});
