/** Messages that are published without a confirm: nobody waits for the broker, and an outage is waited out. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";

const hastily = { confirmed: false };

/** A transport through a proxy, and a queue that another transport listens to. */
async function open(uri: string) {
  const queue = `enoki-test-${crypto.randomUUID()}`;
  const stack = new AsyncDisposableStack();
  const proxy = stack.use(await SeverableProxy.open(uri));
  const lost = Promise.withResolvers<void>();
  const transport = stack.use(amqp(proxy.uri, {
    retryStart: 10,
    retryStep: 10,
    flushTimeout: 100,
    onStatus: ({ state }) => state === "lost" && lost.resolve(),
  }));
  const listening = stack.use(amqp(uri));
  await Promise.all([transport.connect(), listening.connect()]);
  await listening.declare({ queues: [{ name: queue, durable: false, exclusive: true }] });
  const inbox = new Inbox();
  await listening.consume(queue, inbox.receiver, { prefetch: 10 });
  const letter = (body: string): Message => ({ exchange: "", routingKey: queue, body, properties: {} });
  return Object.assign(stack, { proxy, transport, inbox, letter, lost: lost.promise });
}

brokerTest("Transport.publish() without a confirm does not wait for the broker", async (uri) => {
  await using opened = await open(uri);
  const { proxy, transport, inbox, letter } = opened;
  await transport.publish(letter("first"), hastily);
  assert.equal(await inbox.text(), "first");
  proxy.stall();
  let isConfirmed = false;
  const confirmed = transport.publish(letter("confirmed")).then(() => isConfirmed = true);
  await transport.publish(letter("unconfirmed"), hastily);
  assert.equal(isConfirmed, false);
  const failed = assert.rejects(confirmed, /the transport was closed before/);
  await transport.close();
  await failed;
});

for (const isFirst of [true, false]) {
  const which = isFirst ? "The first message" : "A message";
  brokerTest(`${which} without a confirm waits until an outage has ended`, async (uri) => {
    await using opened = await open(uri);
    const { proxy, transport, inbox, letter } = opened;
    if (!isFirst) {
      await transport.publish(letter("before"), hastily);
      assert.equal(await inbox.text(), "before");
    }
    proxy.down = true;
    await proxy.sever();
    await opened.lost;
    const published = transport.publish(letter("meanwhile"), hastily);
    proxy.down = false;
    await published;
    assert.equal(await inbox.text(), "meanwhile");
  });
}

brokerTest("A message without a confirm that the broker refuses disturbs no other", async (uri) => {
  await using opened = await open(uri);
  const { transport, inbox, letter } = opened;
  await transport.publish({ ...letter("lost"), exchange: "enoki-test-missing" }, hastily);
  await transport.publish(letter("confirmed"));
  assert.equal(await inbox.text(), "confirmed");
  // Until the channel is open again, such messages may be lost, too.
  while (inbox.waiting === 0) {
    await transport.publish(letter("next"), hastily);
    await nextTurn();
  }
});
