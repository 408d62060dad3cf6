import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import { PrivateRabbitmq } from "../../fixtures/private_rabbitmq.ts";
import { LogWatch } from "./log_watch.ts";

const WORK_QUEUE = new URL("../../../examples/tutorials/work_queue/service.ts", import.meta.url).pathname;

Deno.test({
  name: "A persistent message in a durable queue survives a restart of the broker",
  ignore: !await PrivateRabbitmq.isInstalled(),
  async fn() {
    const log = new LogWatch();
    await using node = await PrivateRabbitmq.open();
    {
      await using _boss = await run([`${WORK_QUEUE}:boss`], {
        broker: amqp(node.uri),
        threads: { kind: "web" },
      });
      await using cluster = await connect({ broker: amqp(node.uri) });
      await cluster.client("boss").assign!("kept");
      await using transport = amqp(node.uri);
      await transport.connect();
      await transport.publish({
        exchange: "",
        routingKey: "task_queue",
        body: '"lost"',
        properties: { contentType: "application/json", deliveryMode: 1 },
      });
      assert.equal(await transport.countMessages("task_queue"), 2);
    }
    await node.stop();
    await node.start();
    await using transport = amqp(node.uri);
    await transport.connect();
    assert.equal(await transport.countMessages("task_queue"), 1);
    await using _worker = await run([`${WORK_QUEUE}:worker`], {
      broker: amqp(node.uri),
      threads: { kind: "web" },
    });
    const [line] = await log.lines("done", 1);
    assert.equal(line?.properties?.task, "kept");
  },
});
