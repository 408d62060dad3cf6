import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { connect, Runner } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { EditedModules } from "../fixtures/edited_module.ts";
import { AUTO_DELETE, Record } from "./events/event_stage.ts";

configureLogging({ write: () => {} });

/** The fewest events; there are more if the restarts take longer. */
const EVENTS = 100;

/** A service that reports each event of a source to a queue before the event is acked. */
function reporter(name: string): string {
  return `import { event, provider, service } from ${
    JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
  };
const report = provider(({ messenger }) => ({
  get: () => (body) =>
    messenger.publish({ exchange: "", routingKey: "${name}_reports", body, properties: { contentType: "text/plain" } }),
}));
export default service("${name}", {
  dependencies: { report },
  entrypoints: { take: event("${name}_source", "n") },
  handlers: { take: ({ report }, n) => report(String(n)) },
});
`;
}

brokerTest("ServiceContainer.restart() amid events loses none, and handles none twice", async (uri) => {
  const name = `enoki_test_${crypto.randomUUID().slice(0, 8)}`;
  const reports = `${name}_reports`;
  await using modules = await EditedModules.open();
  await using transport = amqp(uri);
  await transport.connect();
  await transport.declare({ queues: [{ name: reports }] });
  const handled = new Record<number>();
  const consumer = await transport.consume(reports, ({ body }) => {
    handled.add(Number(new TextDecoder().decode(body)));
    return Promise.resolve("ack");
  }, { prefetch: 50 });
  let dispatched = 0;
  {
    const config = AUTO_DELETE;
    await using runner = new Runner({ broker: uri, config, threads: { kind: "node", permissions: "all" } });
    await runner.add(await modules.write("reporter.ts", reporter(name)));
    await runner.start();
    const container = runner.container(name);
    await using cluster = await connect({ broker: uri, config });
    let restarting = true;
    const dispatching = (async () => {
      for (; restarting || dispatched < EVENTS; dispatched++) {
        await cluster.dispatch(`${name}_source`, "n", dispatched);
      }
    })();
    for (let round = 0; round < 3; round++) await container.restart();
    await container.stop();
    restarting = false;
    await dispatching;
    await container.start();
    await handled.reaches(dispatched, 60_000);
  }
  await consumer.stop();
  const numbers = handled.all.toSorted((a, b) => a - b);
  assert.deepEqual(numbers, Array.from({ length: dispatched }, (_, n) => n));
  for (const queue of [reports, `evt-${name}_source-n--${name}.take`]) await transport.deleteQueue(queue);
});
