/** What happens when the broker closes a connection or a channel in the same piece of bytes as an answer. */
import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { channelClose, connectionClose, FrameProxy, METHODS } from "../../fixtures/frame_proxy.ts";

for (const code of [320, 541]) {
  for (const [answer, method] of Object.entries(METHODS)) {
    if (!answer.endsWith("Ok")) continue;
    brokerTest(
      `A consumer outlasts a connection.close ${code} beside ${answer} on a new link`,
      async (uri) => {
        await using proxy = await FrameProxy.open(uri);
        let isClosed = false;
        const served = Promise.withResolvers<void>();
        await using transport = amqp(proxy.uri, {
          retryStep: 20,
          onStatus: ({ state }) => state === "connected" && proxy.connections > 2 && served.resolve(),
        });
        await transport.connect();
        const queue = `enoki-test-${crypto.randomUUID()}`;
        const exchange = `${queue}-x`;
        await transport.declare({
          exchanges: [{ name: exchange, type: "fanout", durable: false, autoDelete: true }],
          queues: [{ name: queue, durable: false }],
          bindings: [{ exchange, queue, routingKey: "" }],
        });
        const inbox = new Inbox();
        await transport.consume(queue, inbox.receiver, { prefetch: 1 });
        proxy.interfere = (frame) => {
          if (isClosed || frame.connection !== 2 || !frame.is(method)) return undefined;
          isClosed = true;
          return connectionClose(code, "CLOSED - by the test");
        };
        proxy.sever();
        await served.promise;
        assert.ok(isClosed);
        await transport.publish({ exchange, routingKey: "", body: "back", properties: {} });
        assert.equal(await inbox.text(), "back");
        assert.equal(transport.isConsuming?.(), true);
        await transport.deleteQueue(queue);
      },
    );
  }
}

for (const answer of ["channelOpenOk", "prefetchOk", "consumeOk"] as const) {
  brokerTest(`A consumer outlasts a channel.close beside ${answer} on a new link`, async (uri) => {
    await using proxy = await FrameProxy.open(uri);
    await using transport = amqp(proxy.uri, { retryStep: 20 });
    await transport.connect();
    const queue = `enoki-test-${crypto.randomUUID()}`;
    await transport.declare({ queues: [{ name: queue, durable: false }] });
    const inbox = new Inbox();
    await transport.consume(queue, inbox.receiver, { prefetch: 1 });
    let isClosed = false;
    proxy.interfere = (frame) => {
      if (isClosed || frame.connection !== 2 || !frame.is(METHODS[answer])) return undefined;
      // The first channel of a connection is the one for declarations.
      if (frame.channel === 1) return undefined;
      isClosed = true;
      return channelClose(frame.channel, 406, "PRECONDITION_FAILED - by the test");
    };
    proxy.sever();
    await transport.publish({ exchange: "", routingKey: queue, body: "back", properties: {} });
    assert.equal(await inbox.text(), "back");
    assert.ok(isClosed);
    await transport.deleteQueue(queue);
  });
}

for (const code of [320, 541]) {
  brokerTest(
    `Transport.connect() fails when a close ${code} comes beside the broker's agreement`,
    async (uri) => {
      await using proxy = await FrameProxy.open(uri);
      proxy.interfere = (frame) =>
        frame.is(METHODS.connectionOpenOk) ? connectionClose(code, "CLOSED - by the test") : undefined;
      await using transport = amqp(proxy.uri);
      await assert.rejects(transport.connect(), BrokerError);
    },
  );
}

brokerTest("A consumer whose queue is deleted while a new link is restored consumes again", async (uri) => {
  await using proxy = await FrameProxy.open(uri);
  const regained = Promise.withResolvers<void>();
  await using transport = amqp(proxy.uri, {
    retryStep: 20,
    onStatus: ({ state }) => state === "regained" && regained.resolve(),
  });
  await using other = amqp(uri);
  await Promise.all([transport.connect(), other.connect()]);
  const queues = ["a", "b", "c", "d"].map((part) => `enoki-test-${part}-${crypto.randomUUID()}`);
  await transport.declare({ queues: queues.map((name) => ({ name, durable: false })) });
  const inbox = new Inbox();
  for (const queue of queues) await transport.consume(queue, inbox.receiver, { prefetch: 1 });
  let isDeleted = false;
  proxy.interfere = (frame) => {
    if (frame.connection === 2 && frame.is(METHODS.consumeOk) && !isDeleted) {
      isDeleted = true;
      void other.deleteQueue(queues[0]!);
    }
    return undefined;
  };
  proxy.sever();
  await regained.promise;
  await transport.publish({ exchange: "", routingKey: queues[0]!, body: "back", properties: {} });
  assert.equal(await inbox.text(), "back");
  for (const queue of queues) await transport.deleteQueue(queue);
});
