/** What a message costs for which the broker closes the connection: its own publisher, and nothing else. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { connectionClose, FrameProxy, type Interference, METHODS } from "../../fixtures/frame_proxy.ts";

const POISON = "enoki-test-poison";

/** Closes each connection on which a message with the poisonous routing key is published. */
function closeWith(code: number): Interference {
  return (frame) =>
    !frame.fromBroker && frame.is(METHODS.publish) && frame.bytes.includes(POISON)
      ? connectionClose(code, "NO - by the test")
      : undefined;
}

for (const code of [501, 502, 503, 504, 505, 541]) {
  brokerTest(
    `Messages beside one for which the broker closes with ${code} arrive, and that one fails`,
    async (uri) => {
      await using proxy = await FrameProxy.open(uri);
      await using transport = amqp(proxy.uri, { retryStep: 20 });
      await transport.connect();
      const queue = `enoki-test-${crypto.randomUUID()}`;
      await transport.declare({ queues: [{ name: queue, durable: false }] });
      proxy.interfere = closeWith(code);
      const letter = (routingKey: string, body: string): Message => ({
        exchange: "",
        routingKey,
        body,
        properties: {},
      });
      const outcomes = await Promise.allSettled(
        ["1", "2", POISON, "3", "4", POISON, "5"].map((text) =>
          transport.publish(letter(text === POISON ? POISON : queue, text))
        ),
      );
      assert.deepEqual(outcomes.flatMap(({ status }, index) => status === "rejected" ? [index] : []), [2, 5]);
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        assert.match(`${outcome.reason}`, /^BrokerError: Cannot publish to exchange "": NO - by the test/);
      }
      const inbox = new Inbox();
      await transport.consume(queue, inbox.receiver, { prefetch: 1 });
      await transport.publish(letter(queue, "last"));
      const texts = new Set<string>();
      while (!texts.has("last")) texts.add(await inbox.text());
      assert.deepEqual([...texts], ["1", "2", "3", "4", "5", "last"]);
      assert.ok(proxy.connections <= 4, `${proxy.connections} connections`);
      await transport.deleteQueue(queue);
    },
  );
}

brokerTest("A broker that ends each connection at once is connected to less and less often", async (uri) => {
  await using proxy = await FrameProxy.open(uri);
  proxy.interfere = (frame) =>
    frame.is(METHODS.confirmOk) && frame.connection > 1 ? connectionClose(541, "INTERNAL_ERROR") : undefined;
  const waits: number[] = [];
  const enough = Promise.withResolvers<void>();
  await using transport = amqp(proxy.uri, {
    retryStart: 20,
    retryStep: 20,
    onStatus(status) {
      if (status.state === "lost" && waits.push(status.retryIn) === 5) enough.resolve();
    },
  });
  await transport.connect();
  proxy.sever();
  await enough.promise;
  assert.deepEqual(waits.map((wait) => Math.ceil(wait / 20)), [0, 1, 2, 3, 4]);
});
