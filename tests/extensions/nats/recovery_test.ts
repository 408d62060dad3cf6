/** What becomes of the work of a process that died, over the server alone. */
import assert from "node:assert/strict";
import { natsTest } from "./nats_stage.ts";

natsTest("what a dead process held comes to another consumer, marked as redelivered", async (stage) => {
  const options = { ackWait: 500 };
  const heir = await stage.transport(options);
  const { transport, die } = await stage.mortal(options);
  await transport.declare({ queues: [{ name: "work" }] });
  const held = Promise.withResolvers<void>();
  await transport.consume("work", () => {
    held.resolve();
    return new Promise(() => {});
  }, { prefetch: 1 });
  await heir.publish({ exchange: "", routingKey: "work", body: "job", properties: {} });
  await held.promise;
  await die();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  await heir.consume("work", ({ redelivered }) => {
    resolve(redelivered);
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  assert.equal(await promise, true);
});

natsTest("a handler that takes longer than the server waits keeps its message", async (stage) => {
  const transport = await stage.transport({ ackWait: 300 });
  await transport.declare({ queues: [{ name: "work" }] });
  const seen: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  await transport.consume("work", async ({ body }) => {
    seen.push(new TextDecoder().decode(body));
    if (seen.length === 2) resolve();
    else await new Promise((end) => setTimeout(end, 1_000));
    return "ack";
  }, { prefetch: 1 });
  for (const body of ["slow", "next"]) {
    await transport.publish({ exchange: "", routingKey: "work", body, properties: {} });
  }
  await done;
  assert.deepEqual(seen, ["slow", "next"]);
});

natsTest("what a dead process delayed comes back by the care of another", async (stage) => {
  const heir = await stage.transport();
  const { transport, die } = await stage.mortal();
  await heir.declare({ queues: [{ name: "work" }] });
  const { promise, resolve } = Promise.withResolvers<void>();
  await heir.consume("work", () => {
    resolve();
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  await transport.declare({
    queues: [{
      name: "delay",
      arguments: {
        "x-message-ttl": 200,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "work",
        "x-expires": 60_000,
      },
    }],
  });
  await transport.publish({ exchange: "", routingKey: "delay", body: "job", properties: {} });
  await die();
  await promise;
});

natsTest("exclusive and auto-delete queues of a dead process go by the care of another", async (stage) => {
  const heir = await stage.transport();
  const { transport, die } = await stage.mortal();
  await transport.declare({
    queues: [{ name: "own", exclusive: true }, { name: "shared", autoDelete: true }],
  });
  await transport.consume("shared", () => Promise.resolve("ack"), { prefetch: 1 });
  await assert.rejects(heir.countMessages("own"), { name: "BrokerError", state: "held" });
  await die();
  for (const queue of ["own", "shared"]) {
    while (await heir.countMessages(queue) !== undefined) await new Promise((end) => setTimeout(end, 50));
  }
});
