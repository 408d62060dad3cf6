import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import type { TransportStatus, Verdict } from "../../../runtime/message/transport.ts";
import { PrivateRabbitmq } from "../../fixtures/private_rabbitmq.ts";

const ignore = !await PrivateRabbitmq.isInstalled();

Deno.test({
  name: "A transport loses nothing when its broker dies with work under way",
  ignore,
  async fn() {
    await using node = await PrivateRabbitmq.open();
    const statuses: TransportStatus["state"][] = [];
    const lost = Promise.withResolvers<void>();
    await using transport = amqp(node.uri, {
      retryStep: 200,
      onStatus(status) {
        statuses.push(status.state);
        if (status.state === "lost") lost.resolve();
      },
    });
    await transport.connect();
    await transport.declare({ queues: [{ name: "jobs" }] });
    await node.saveDeclarations();

    const arrived: string[] = [];
    const held = Promise.withResolvers<void>();
    const verdict = Promise.withResolvers<Verdict>();
    const again = Promise.withResolvers<void>();
    let isHeld = false;
    const all = Promise.withResolvers<void>();
    await transport.consume("jobs", (delivery) => {
      const text = new TextDecoder().decode(delivery.body);
      // Not by its flag: a broker that is killed may not have noted that it had delivered it.
      if (text === "held" && !isHeld) {
        isHeld = true;
        held.resolve();
        return verdict.promise;
      }
      if (text === "held") again.resolve();
      arrived.push(text);
      if (arrived.includes("in flight") && arrived.includes("in the outage")) all.resolve();
      return Promise.resolve("ack");
    }, { prefetch: 10 });

    const send = (text: string) =>
      transport.publish({ exchange: "", routingKey: "jobs", body: text, properties: { deliveryMode: 2 } });
    await send("held");
    await held.promise;
    await node.freeze();
    const inFlight = send("in flight");
    await node.kill();
    await lost.promise;
    const inOutage = send("in the outage");
    verdict.resolve("ack");
    await node.start();

    await Promise.all([inFlight, inOutage]);
    await again.promise;
    await all.promise;
    assert.equal(statuses.at(-1), "connected");
  },
});

Deno.test({
  name: "Transport.close() ends the search for a broker at once",
  ignore,
  async fn() {
    await using node = await PrivateRabbitmq.open();
    const lost = Promise.withResolvers<void>();
    const transport = amqp(node.uri, {
      onStatus: (status) => status.state === "lost" && status.retryIn > 0 && lost.resolve(),
    });
    await transport.connect();
    await node.stop();
    await lost.promise;
    const waiting = transport.publish({ exchange: "", routingKey: "jobs", body: "", properties: {} });
    const refused = assert.rejects(waiting, /the transport was closed before broker/);
    const start = performance.now();
    await transport.close();
    assert.ok(performance.now() - start < 1_000);
    await refused;
  },
});

Deno.test({
  name: "Transport.close() waits no longer than flushTimeout for a broker that is frozen",
  ignore,
  async fn() {
    await using node = await PrivateRabbitmq.open();
    const transport = amqp(node.uri, { flushTimeout: 100 });
    await transport.connect();
    await node.freeze();
    const publish = transport.publish({ exchange: "", routingKey: "jobs", body: "", properties: {} });
    const refused = assert.rejects(publish, /the transport was closed before broker/);
    await transport.close();
    await refused;
  },
});

Deno.test({
  name: "A transport gives up a broker that shows no sign of life for two heartbeats",
  ignore,
  async fn() {
    await using node = await PrivateRabbitmq.open();
    const reason = Promise.withResolvers<string>();
    await using transport = amqp(node.uri, {
      heartbeat: 1,
      onStatus: (status) => status.state === "lost" && reason.resolve(status.reason),
    });
    await transport.connect();
    await node.freeze();
    assert.equal(await reason.promise, "Heartbeat timeout");
  },
});
