/** The examples over NATS, each in processes of its own. */
import assert from "node:assert/strict";
import { connect } from "../../../extensions/run.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import { EXTENSION, natsTest } from "./nats_stage.ts";

natsTest("the greeting is served to commands and to programs in other processes", async (stage) => {
  await using _serving = await stage.serve("examples/greeting/service.ts");
  assert.equal(await stage.run("call", "greeting_service.hello", "Ada"), '"Hello, Ada!"\n');
  await using cluster = await connect({ broker: stage.broker, extensions: [EXTENSION] });
  const calls = Array.from(
    { length: 100 },
    (_, index) => cluster.client("greeting_service").hello!(`${index}`),
  );
  assert.deepEqual(
    await Promise.all(calls),
    calls.map((_, index) => `Hello, ${index}!`),
  );
});

natsTest("a caller learns that nobody serves what it calls", async (stage) => {
  await using cluster = await connect({ broker: stage.broker, extensions: [EXTENSION] });
  await assert.rejects(Promise.resolve(cluster.client("nobody").hello!()), { name: "UnknownServiceError" });
});

natsTest("an event of one process is handled in another", async (stage) => {
  await using handling = await stage.serve("examples/events/handler_service.ts");
  await using _emitting = await stage.serve("examples/events/emitter_service.ts");
  await stage.run("call", "emitter_service.emit_event", "from a service");
  await handling.says("handler_service received: from a service");
  await stage.run("emit", "emitter_service", "some_event", "from a command");
  await handling.says("handler_service received: from a command");
});

natsTest("a broadcast event reaches every instance, and its queues go with them", async (stage) => {
  const module = "tests/extensions/nats/listening_service.ts";
  const instances = [await stage.serve(module), await stage.serve(module)];
  await stage.run("emit", "speaker", "said", '"hello"');
  for (const instance of instances) await instance.says("heard hello");
  for (const instance of instances) {
    instance.kill("SIGTERM");
    assert.equal((await instance.ended()).code, 0);
  }
  assert.equal((await stage.queues()).some((name) => name.startsWith("evt-speaker")), false);
});

natsTest("a message whose handler failed comes back later, also to another process", async (stage) => {
  const sender = await stage.transport();
  {
    await using first = await stage.serve("examples/extensions/nats/retry_service.ts");
    await sender.publish(order("tea", 0));
    await first.says("retry_service took the order of tea");
    await sender.publish(order("coffee", Date.now() + 250));
    await first.says("retry_service.order failed: attempt 2 of");
    first.kill("SIGKILL");
    await first.ended();
  }
  await using second = await stage.serve("examples/extensions/nats/retry_service.ts");
  await second.says("retry_service took the order of coffee");
});

natsTest("a message whose handler failed too often is a dead letter, and can be replayed", async (stage) => {
  const sender = await stage.transport();
  await using serving = await stage.serve("examples/extensions/nats/retry_service.ts");
  const ready = Date.now() + 3_000;
  await sender.publish(order("cake", ready));
  await serving.says("Moved to enoki.dead.orders");
  assert.match(await stage.run("dead list", "orders"), /retries used up.*cake is not ready/s);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ready - Date.now())));
  assert.match(await stage.run("dead replay", "orders"), /Replayed 1 dead message/);
  await serving.says("retry_service took the order of cake");
  assert.equal(await sender.countMessages("enoki.dead.orders"), 0);
});

function order(item: string, ready: number): Message {
  return {
    exchange: "",
    routingKey: "orders",
    body: JSON.stringify({ item, ready }),
    properties: { contentType: "application/json" },
    mandatory: true,
  };
}
