import assert from "node:assert/strict";
import { BrokerError } from "../errors.ts";
import { Inbox } from "./inbox.ts";
import { type Law, letter } from "./stage.ts";

export function consumingLaws(law: Law): void {
  const exclusive = law.needing("exclusive queues");
  const alone = law.needing("exclusive consumers");
  const dead = law.needing("dead-letter exchanges");
  const inPlace = law.needing("requeueing in place");

  for (const prefetch of [0, -1, 1.5, NaN]) {
    law(`Transport.consume() refuses a prefetch of ${prefetch}`, async (stage) => {
      const transport = await stage.transport();
      const queue = await stage.queue(transport);
      await assert.rejects(
        transport.consume(queue, () => Promise.resolve("ack"), { prefetch }),
        RangeError,
      );
    });
  }

  law("Transport.consume() fails where the queue does not exist", async (stage) => {
    const transport = await stage.transport();
    await assert.rejects(
      transport.consume(stage.name("missing"), () => Promise.resolve("ack"), { prefetch: 1 }),
      BrokerError,
    );
  });

  law("Transport.consume() leaves the other consumers alone when it fails", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await assert.rejects(
      transport.consume(stage.name("missing"), () => Promise.resolve("ack"), { prefetch: 1 }),
      BrokerError,
    );
    await stage.send(transport, queue, "undisturbed");
    assert.equal(await inbox.text(), "undisturbed");
  });

  law("Transport.consume() hands out messages in their order", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await stage.send(transport, queue, "1", "2", "3");
    assert.deepEqual(await (await stage.inbox(transport, queue)).texts(3), ["1", "2", "3"]);
  });

  law("Transport.consume() keeps no more than prefetch deliveries open", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const modest = await stage.inbox(transport, queue, 2);
    await stage.send(transport, queue, "1", "2", "3", "4");
    await modest.next();
    await modest.next();
    const greedy = await stage.inbox(transport, queue, 10);
    assert.deepEqual(await greedy.texts(2), ["3", "4"]);
    assert.equal(modest.waiting, 0);
  });

  law("Transport.consume() hands out the next message when a verdict frees a place", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 1);
    await stage.send(transport, queue, "1", "2");
    const first = await inbox.next();
    assert.equal(first.text, "1");
    first.settle("ack");
    assert.equal(await inbox.text(), "2");
  });

  law("Transport.consume() shares a queue among its consumers", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const [left, right] = [await stage.inbox(one, queue, 1), await stage.inbox(other, queue, 1)];
    await stage.send(one, queue, "1", "2");
    const texts = [(await left.next()).text, (await right.next()).text];
    assert.deepEqual(texts.toSorted(), ["1", "2"]);
  });

  alone("Transport.consume() with exclusive refuses a second consumer", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    await one.consume(queue, () => Promise.resolve("ack"), { prefetch: 1, exclusive: true });
    await assert.rejects(other.consume(queue, () => Promise.resolve("ack"), { prefetch: 1 }), BrokerError);
  });

  alone("Transport.consume() with exclusive fails where there is a consumer", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    await one.consume(queue, () => Promise.resolve("ack"), { prefetch: 1 });
    await assert.rejects(
      other.consume(queue, () => Promise.resolve("ack"), { prefetch: 1, exclusive: true }),
      BrokerError,
    );
  });

  exclusive("Transport.consume() fails on an exclusive queue of another transport", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { durable: false, exclusive: true });
    await assert.rejects(other.consume(queue, () => Promise.resolve("ack"), { prefetch: 1 }), BrokerError);
  });

  law("Verdict ack takes the message for good", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one);
    const inbox = await stage.inbox(one, queue);
    await stage.send(one, queue, "taken");
    (await inbox.next()).settle("ack");
    await inbox.consumer?.stop();
    await one.close();
    await stage.send(other, queue, "next");
    assert.equal(await (await stage.inbox(other, queue)).text(), "next");
  });

  law("Verdict requeue offers the message again, marked as redelivered", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "again");
    const first = await inbox.next();
    first.settle("requeue");
    const second = await inbox.next();
    second.settle("ack");
    assert.deepEqual(
      [first.delivery.redelivered, second.delivery.redelivered, second.text],
      [false, true, "again"],
    );
  });

  inPlace("Verdict requeue puts the message back to its place", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 1);
    await stage.send(transport, queue, "1", "2");
    (await inbox.next()).settle("requeue");
    assert.deepEqual(await inbox.texts(2), ["1", "2"]);
  });

  law("Verdict reject drops the message where the queue has no dead-letter exchange", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 1);
    await stage.send(transport, queue, "dropped", "next");
    (await inbox.next()).settle("reject");
    assert.equal(await inbox.text(), "next");
    await inbox.consumer?.stop();
    await stage.send(transport, queue, "last");
    assert.equal(await (await stage.inbox(transport, queue)).text(), "last");
  });

  for (
    const [how, fail] of [
      ["rejects", () => Promise.reject(new Error("no"))],
      ["throws", () => {
        throw new Error("no");
      }],
    ] as const
  ) {
    dead(`Transport.consume() requeues once, then rejects, when the receiver ${how}`, async (stage) => {
      const transport = await stage.transport();
      const graveyard = await stage.queue(transport);
      const queue = await stage.queue(transport, {
        arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": graveyard },
      });
      const redelivered: boolean[] = [];
      await transport.consume(queue, (delivery) => {
        redelivered.push(delivery.redelivered);
        return fail();
      }, { prefetch: 1 });
      await stage.send(transport, queue, "poison");
      assert.equal(await (await stage.inbox(transport, graveyard)).text(), "poison");
      assert.deepEqual(redelivered, [false, true]);
    });
  }

  law(
    "Transport.consume() with noAck takes a message for good before its receiver gets it",
    async (stage) => {
      const [one, other] = [await stage.transport(), await stage.transport()];
      const queue = await stage.queue(one);
      const inbox = new Inbox();
      await one.consume(queue, inbox.receiver, { prefetch: 1, noAck: true });
      await stage.send(one, queue, "forgotten");
      await inbox.next();
      await one.close();
      await stage.send(other, queue, "next");
      assert.equal(await (await stage.inbox(other, queue)).text(), "next");
    },
  );

  for (
    const [what, end] of [
      ["asks for the message again", () => Promise.resolve("requeue" as const)],
      ["rejects", () => Promise.reject(new Error("no"))],
    ] as const
  ) {
    law(`Transport.consume() with noAck offers nothing again when the receiver ${what}`, async (stage) => {
      const transport = await stage.transport();
      const queue = await stage.queue(transport);
      const texts: string[] = [];
      const both = Promise.withResolvers<void>();
      await transport.consume(queue, ({ body }) => {
        if (texts.push(new TextDecoder().decode(body)) === 2) both.resolve();
        return end();
      }, { prefetch: 1, noAck: true });
      await stage.send(transport, queue, "1", "2");
      await both.promise;
      assert.deepEqual(texts, ["1", "2"]);
    });
  }

  law(
    "Transport.consume() with noAck leaves in the queue what its receiver has no room for",
    async (stage) => {
      const [transport, watcher] = [await stage.transport(), await stage.transport()];
      const queue = await stage.queue(transport);
      await stage.send(watcher, queue, ...Array.from({ length: 200 }, (_, index) => String(index)));
      const inbox = new Inbox();
      await transport.consume(queue, inbox.receiver, { prefetch: 2, noAck: true });
      const [first, second] = [await inbox.next(), await inbox.next()];
      const left = await watcher.countMessages(queue) ?? 0;
      assert.ok(left >= 196, `${left} of 200 messages are left in the queue`);
      assert.equal(inbox.waiting, 0);
      first.settle("ack");
      assert.equal((await inbox.next()).text, "2");
      second.settle("ack");
      assert.equal((await inbox.next()).text, "3");
      assert.equal(inbox.waiting, 0);
    },
  );

  law(
    "Consumer.stop() with noAck waits for its receiver, and leaves all other messages there",
    async (stage) => {
      const transport = await stage.transport();
      const queue = await stage.queue(transport);
      await stage.send(transport, queue, "1", "2", "3", "4");
      const inbox = new Inbox();
      const consumer = await transport.consume(queue, inbox.receiver, { prefetch: 1, noAck: true });
      const first = await inbox.next();
      let stopped = false;
      const stopping = consumer.stop().then(() => stopped = true);
      await consumer.cancel();
      const rest = await stage.inbox(transport, queue);
      assert.deepEqual((await rest.texts(3)).toSorted(), ["2", "3", "4"]);
      assert.equal(stopped, false);
      first.settle("ack");
      await stopping;
    },
  );

  law("Consumer.setPrefetch() lets more deliveries in while others are open", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 1);
    await stage.send(transport, queue, "1", "2", "3");
    await inbox.next();
    await inbox.consumer?.setPrefetch(3);
    assert.deepEqual([(await inbox.next()).text, (await inbox.next()).text], ["2", "3"]);
  });

  law("Consumer.setPrefetch() keeps the deliveries that are here and lets fewer follow", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue, 3);
    await stage.send(transport, queue, "1", "2", "3", "4", "5");
    const open = [await inbox.next(), await inbox.next(), await inbox.next()];
    await inbox.consumer?.setPrefetch(1);
    open[0]?.settle("ack");
    open[1]?.settle("ack");
    open[2]?.settle("ack");
    assert.equal((await inbox.next()).text, "4");
    assert.equal(await (await stage.inbox(transport, queue)).text(), "5");
    assert.equal(inbox.waiting, 0);
  });

  law("Consumer.setPrefetch() refuses a prefetch of 0", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const { consumer } = await stage.inbox(transport, queue);
    assert.ok(consumer);
    await assert.rejects(consumer.setPrefetch(0), RangeError);
  });

  law("A receiver may publish", async (stage) => {
    const transport = await stage.transport();
    const [questions, answers] = [await stage.queue(transport), await stage.queue(transport)];
    const inbox = await stage.inbox(transport, answers);
    await transport.consume(questions, async (delivery) => {
      const text = new TextDecoder().decode(delivery.body);
      await transport.publish(letter(answers, `${text}!`));
      return "ack";
    }, { prefetch: 1 });
    await stage.send(transport, questions, "1", "2", "3");
    assert.deepEqual(await inbox.texts(3), ["1!", "2!", "3!"]);
  });

  law("A receiver that asks for the message again and again starves nobody", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    let verdict: "requeue" | "ack" = "requeue";
    const acked = Promise.withResolvers<void>();
    const timer = setTimeout(() => verdict = "ack", 20);
    await transport.consume(queue, () => {
      if (verdict === "ack") acked.resolve();
      return Promise.resolve(verdict);
    }, { prefetch: 1 });
    await stage.send(transport, queue, "hot");
    await acked.promise;
    clearTimeout(timer);
  });

  law("Two consumers of one transport take from queues of their own", async (stage) => {
    const transport = await stage.transport();
    const queues = [await stage.queue(transport), await stage.queue(transport)] as const;
    const inboxes = [new Inbox(), new Inbox()] as const;
    await transport.consume(queues[0], inboxes[0].receiver, { prefetch: 1 });
    await transport.consume(queues[1], inboxes[1].receiver, { prefetch: 1 });
    await stage.send(transport, queues[0], "to the first");
    await stage.send(transport, queues[1], "to the second");
    assert.deepEqual([await inboxes[0].text(), await inboxes[1].text()], ["to the first", "to the second"]);
  });
}
