/** The same laws of tested services where their threads or their broker are real ones. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { memory } from "../../../extensions/memory/mod.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { testServices } from "../../../extensions/testing/mod.ts";
import { consume, queue, rpc, service } from "../../../mod.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { payments } from "../../fixtures/tested_services.ts";

Deno.test("services in real threads are called and waited for as in the thread of the test", async () => {
  await using app = await testServices([payments], { threads: { maxWorkers: 1 }, broker: memory() });
  deepStrictEqual(await app.call("payments.charge", 30), { paid: 30, at: "1970-01-01T00:00:00.000Z" });
  await rejects(app.client(payments).charge(2_000), { remoteName: "Declined" });
  await app.idle();
  deepStrictEqual(app.calls.map(({ args, outcome: { ok } }) => [args, ok]), [[[30], true], [[2_000], false]]);
});

brokerTest("idle() over RabbitMQ waits until the queues of the services are empty", async (uri) => {
  const id = crypto.randomUUID();
  const jobs = queue(`enoki_test_jobs-${id}`);
  const worker = service(`enoki_test_worker-${id}`, {
    entrypoints: { work: consume<number>(jobs, { prefetch: 1 }), greet: rpc() },
    handlers: { work: () => {}, greet: (_context, name: string) => `Hello, ${name}` },
  });
  const numbers = Array.from({ length: 5 }, (_, number) => number);
  {
    await using app = await testServices([worker], { broker: uri });
    strictEqual(await app.client(worker).greet("Ada"), "Hello, Ada");
    await Promise.all(numbers.map((number) => app.publish(number, { routingKey: jobs.name })));
    await app.idle({ timeout: 20_000 });
    deepStrictEqual(
      app.calls.filter(({ method }) => method === "work").map(({ args: [number] }) => number).sort(),
      numbers,
    );
  }
  await using transport = amqp(uri);
  await transport.connect();
  for (const name of [jobs.name, rpcTopology(DEFAULT_EXCHANGE).queueOf(worker.name)]) {
    await transport.deleteQueue(name);
  }
});
