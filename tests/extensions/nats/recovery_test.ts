/** What becomes of the work of a process that died, over the server alone. */
import assert from "node:assert/strict";
import { NatsTransport } from "../../../examples/extensions/nats/transport.ts";
import type { TransportStatus } from "../../../runtime/message/transport.ts";
import { PrivateNats } from "../../fixtures/private_nats.ts";
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

natsTest(
  "a consumer whose queue somebody has deleted is told, and resumes with a new queue",
  async (stage) => {
    const states: TransportStatus["state"][] = [];
    const regained = Promise.withResolvers<void>();
    const transport = await stage.transport({
      onStatus({ state }) {
        states.push(state);
        if (state === "regained") regained.resolve();
      },
    });
    const other = await stage.transport();
    await transport.declare({
      exchanges: [{ name: "events", type: "topic" }],
      queues: [{ name: "work" }],
      bindings: [{ queue: "work", exchange: "events", routingKey: "#" }],
    });
    const interrupted = Promise.withResolvers<void>();
    const received = Promise.withResolvers<void>();
    await transport.consume("work", () => {
      received.resolve();
      return Promise.resolve("ack");
    }, { prefetch: 1, onInterrupted: interrupted.resolve });
    await other.deleteQueue("work");
    await interrupted.promise;
    await regained.promise;
    await other.publish({ exchange: "events", routingKey: "a", body: "", properties: {}, mandatory: true });
    await received.promise;
    assert.deepEqual(states, ["connected", "interrupted", "regained"]);
    assert.equal(transport.isConsuming(), true);
  },
);

natsTest("a server that was killed and comes back has all that was confirmed", async () => {
  await using server = await PrivateNats.open();
  assert.ok(server, "nats-server is not installed");
  const returned = Promise.withResolvers<void>();
  let lost = false;
  await using transport = new NatsTransport(server.uri, {
    retryStep: 50,
    onStatus({ state }) {
      if (state === "lost") lost = true;
      if (state === "connected" && lost) returned.resolve();
    },
  });
  await transport.connect();
  await transport.declare({ queues: [{ name: "kept" }, { name: "lost", durable: false }] });
  const send = (queue: string, body: string) =>
    transport.publish({ exchange: "", routingKey: queue, body, properties: {}, mandatory: true });
  await send("kept", "before");
  await server.kill();
  const during = send("kept", "during");
  await server.start();
  await returned.promise;
  await during;
  await send("lost", "after");
  assert.equal(await transport.countMessages("kept"), 2);
  assert.equal(await transport.countMessages("lost"), 1);
});

natsTest("a consumer whose prefetch changes while messages come gets all of them soon", async (stage) => {
  const transport = await stage.transport({ ackWait: 120_000 });
  await transport.declare({ queues: [{ name: "work" }] });
  const wanted = 2_000;
  const received = Promise.withResolvers<void>();
  const seen = new Set<string>();
  const consumer = await transport.consume("work", ({ body }) => {
    seen.add(new TextDecoder().decode(body));
    if (seen.size === wanted) received.resolve();
    return Promise.resolve("ack");
  }, { prefetch: 50 });
  const sending = Array.from({ length: wanted }, async (_, index) => {
    await transport.publish({ exchange: "", routingKey: "work", body: `${index}`, properties: {} });
    await consumer.setPrefetch(index % 2 === 0 ? 1 : 50);
  });
  await Promise.all(sending);
  await received.promise;
});
