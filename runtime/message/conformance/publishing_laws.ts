import assert from "node:assert/strict";
import { BrokerError, UnroutableError } from "../errors.ts";
import { type Law, letter } from "./stage.ts";

export function publishingLaws(law: Law): void {
  law("Transport.publish() fails where the exchange does not exist", async (stage) => {
    const transport = await stage.transport();
    const message = { exchange: stage.name("missing"), routingKey: "key", body: "", properties: {} };
    await assert.rejects(transport.publish(message), BrokerError);
  });

  law("Transport.publish() works after it failed for a missing exchange", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    const message = { exchange: stage.name("missing"), routingKey: "key", body: "", properties: {} };
    await assert.rejects(transport.publish(message), BrokerError);
    await stage.send(transport, queue, "after");
    assert.equal(await inbox.text(), "after");
  });

  law("Transport.publish() of a mandatory message fails where no queue has the name", async (stage) => {
    const transport = await stage.transport();
    await assert.rejects(
      transport.publish({ ...letter(stage.name("missing"), ""), mandatory: true }),
      UnroutableError,
    );
  });

  law("Transport.publish() of a mandatory message fails where no binding matches", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "direct");
    await stage.boundQueue(transport, exchange, "key");
    const message = { exchange, routingKey: "other", body: "", properties: {}, mandatory: true };
    await assert.rejects(transport.publish(message), UnroutableError);
  });

  law("Transport.publish() of a mandatory message resolves when a queue takes it", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await transport.publish({ ...letter(queue, ""), mandatory: true });
  });

  law("Transport.publish() drops a message that no queue takes and is not mandatory", async (stage) => {
    const transport = await stage.transport();
    await stage.send(transport, stage.name("missing"), "dropped");
  });

  law("Transport.publish() fails exactly the unroutable ones of many at once", async (stage) => {
    const transport = await stage.transport();
    const [queue, missing] = [await stage.queue(transport), stage.name("missing")];
    const outcomes = await Promise.allSettled(
      Array.from(
        { length: 60 },
        (_, index) =>
          transport.publish({ ...letter(index % 3 === 1 ? missing : queue, `${index}`), mandatory: true }),
      ),
    );
    const failed = outcomes.flatMap((outcome, index) => outcome.status === "rejected" ? [index] : []);
    assert.deepEqual(failed, Array.from({ length: 20 }, (_, index) => 3 * index + 1));
  });

  law("Transport.publish() resolves when the message is there for another transport", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    await stage.send(one, queue, "confirmed");
    await one.close();
    assert.equal(await (await stage.inbox(other, queue)).text(), "confirmed");
  });

  law("Transport.publish() keeps the order of messages published at once", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 20);
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    await stage.send(transport, queue, ...texts);
    assert.deepEqual(await inbox.texts(200), texts);
  });

  law("Transport.publish() keeps the order of messages that need no confirm", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 20);
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    await Promise.all(texts.map((text) => transport.publish(letter(queue, text), { confirmed: false })));
    assert.deepEqual(await inbox.texts(200), texts);
  });

  law("Transport.publish() never runs a receiver on the publisher's stack", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    const published = transport.publish(letter(queue, "later"));
    assert.equal(inbox.waiting, 0);
    await published;
    assert.equal(await inbox.text(), "later");
  });

  law("Transport.publish() rejects with the reason of a signal that is aborted already", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const reason = new Error("changed my mind");
    await assert.rejects(
      transport.publish(letter(queue, ""), { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
  });

  law("Transport.publish() rejects with the reason of its signal, if at all, when aborted", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const published = transport.publish(letter(queue, ""), { signal: controller.signal });
    controller.abort(reason);
    await published.catch((error) => assert.equal(error, reason));
  });

  law("Transport.publish() fails on a closed transport", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await transport.close();
    await assert.rejects(transport.publish(letter(queue, "")), BrokerError);
  });
}
