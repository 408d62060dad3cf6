/** Queues without a name and requests, in services that run in threads. */
import assert from "node:assert/strict";
import { connect } from "../../../extensions/connect.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

Deno.test("the threads of a service have one queue without a name, which a reload keeps", async () => {
  const broker = new MemoryBroker();
  await using running = await serveInMemory(broker, ["own_queue.ts"], {
    config: { max_workers: 2, min_workers: 2 },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  const service = cluster.client("enoki_test_own_queue");
  const names = await Promise.all(Array.from({ length: 10 }, () => service.name!()));
  await running.reload();
  names.push(await service.name!());
  assert.equal(new Set(names).size, 1);
  assert.equal(await service.question!(names[0], "heard", 20_000), "heard!");
});

Deno.test("a handler learns from its request why there is no answer", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["own_queue.ts"]);
  await using cluster = await connect({ broker: memory({ broker }) });
  const service = cluster.client("enoki_test_own_queue");
  await assert.rejects(service.question!("nowhere", "?", 20_000), /UnroutableError/);
  await using transport = memory({ broker });
  await transport.connect();
  await transport.declare({ queues: [{ name: "silent" }] });
  await assert.rejects(service.question!("silent", "?", 20), /no reply within/);
});

Deno.test("a service asks and answers as far as its broker permissions go", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["own_queue.ts"], {
    config: { services: { enoki_test_own_queue: { broker: { publish: ["silent"], consume: [] } } } },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  const service = cluster.client("enoki_test_own_queue");
  const name = await service.name!();
  await assert.rejects(
    service.question!(name, "?", 20_000),
    /services\.enoki_test_own_queue\.broker\.publish/,
  );
});
