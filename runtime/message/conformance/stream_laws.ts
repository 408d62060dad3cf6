import assert from "node:assert/strict";
import type { StreamOffset, Transport } from "../transport.ts";
import { Inbox } from "./inbox.ts";
import { type Law, type Stage, watched } from "./stage.ts";

export function streamLaws(law: Law, recovery: boolean): void {
  const streams = law.needing("streams");

  streams("A stream gives each consumer all records in order, with their numbers", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const stream = await declare(stage, one);
    for (const text of ["a", "b", "c"]) await stage.send(one, stream, text);
    for (const transport of [one, other]) {
      const inbox = await open(transport, stream, "first");
      const seen: [number | undefined, string][] = [];
      while (seen.length < 3) {
        const { delivery, text, settle } = await inbox.next();
        seen.push([delivery.offset, text]);
        settle("ack");
      }
      assert.deepEqual(seen, [[0, "a"], [1, "b"], [2, "c"]]);
    }
  });

  streams("A consumer of a stream begins at the record of a number", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    await stage.send(transport, stream, ...Array.from({ length: 50 }, (_, index) => `${index}`));
    const { delivery } = await (await open(transport, stream, 40)).next();
    assert.equal(delivery.offset, 40);
  });

  streams("A consumer of a stream that begins at the next record gets none of the earlier", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    await stage.send(transport, stream, "before");
    const inbox = await open(transport, stream, "next");
    await stage.send(transport, stream, "after");
    assert.equal(await inbox.text(), "after");
  });

  streams("A consumer of a stream that begins with the last records gets the last", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    for (const text of ["first", "last"]) await stage.send(transport, stream, text);
    const inbox = await open(transport, stream, "last");
    while (await inbox.text() !== "last");
  });

  streams("A consumer of a stream that begins at a time gets what came later", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    await stage.send(transport, stream, "kept");
    const inbox = await open(transport, stream, { at: Date.now() - 60_000 });
    assert.equal(await inbox.text(), "kept");
    const later = await open(transport, stream, { at: Date.now() + 60_000 });
    await stage.send(transport, stream, "new");
    assert.equal(await later.text(), "new");
  });

  streams(
    "A consumer of a stream holds no more than its prefetch, in whatever blocks they come",
    async (stage) => {
      const transport = await stage.transport();
      const stream = await declare(stage, transport);
      const sent = Array.from({ length: 200 }, (_, index) => `${index}`);
      await stage.send(transport, stream, ...sent);
      let [held, most] = [0, 0];
      const offsets: (number | undefined)[] = [];
      const { promise: all, resolve } = Promise.withResolvers<void>();
      await transport.consume(stream, async ({ offset }) => {
        most = Math.max(most, ++held);
        await new Promise((resume) => setTimeout(resume, 0));
        held--;
        if (offsets.push(offset) === sent.length) resolve();
        return "ack";
      }, { prefetch: 3, offset: "first" });
      await all;
      assert.deepEqual(offsets, sent.map(Number));
      assert.equal(most, 3);
    },
  );

  streams("Consumer.setPrefetch() lets more records of a stream in, each of them once", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    const inbox = await open(transport, stream, "first", 1);
    const sent = Array.from({ length: 150 }, (_, index) => `${index}`);
    await stage.send(transport, stream, ...sent);
    const held = [await inbox.next()];
    await inbox.consumer!.setPrefetch(100);
    while (held.length < 100) held.push(await inbox.next());
    assert.equal(inbox.waiting, 0);
    for (const each of held) each.settle("ack");
    const rest = await inbox.texts(50);
    assert.deepEqual([...held.map(({ text }) => text), ...rest].toSorted(byNumber), sent);
  });

  streams("Verdict requeue offers a record again to its consumer, marked as redelivered", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    const [inbox, other] = [await open(transport, stream, "first"), await open(transport, stream, "first")];
    await stage.send(transport, stream, "again");
    (await inbox.next()).settle("requeue");
    const { delivery, text, settle } = await inbox.next();
    assert.deepEqual([text, delivery.offset, delivery.redelivered], ["again", 0, true]);
    settle("ack");
    assert.equal(await other.text(), "again");
    await stage.send(transport, stream, "next");
    assert.deepEqual([await inbox.text(), await other.text()], ["next", "next"]);
  });

  streams("Verdict reject leaves a record where it is", async (stage) => {
    const transport = await stage.transport();
    const stream = await declare(stage, transport);
    await stage.send(transport, stream, "stays");
    (await (await open(transport, stream, "first")).next()).settle("reject");
    assert.equal(await (await open(transport, stream, "first")).text(), "stays");
  });

  streams("Transport.declare() refuses a stream that is there as a queue", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    await assert.rejects(
      transport.declare({ queues: [{ name: queue, arguments: { "x-queue-type": "stream" } }] }),
      { name: "BrokerError" },
    );
  });

  if (!recovery) return;

  streams("A consumer of a stream continues behind what it has handled after a loss", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const stream = await declare(stage, transport);
    const inbox = await open(transport, stream, "first");
    await stage.send(transport, stream, "1", "2");
    assert.deepEqual(await inbox.texts(2), ["1", "2"]);
    await stage.sever();
    await recovered;
    await stage.send(transport, stream, "3", "4");
    assert.deepEqual(await inbox.texts(2), ["3", "4"]);
  });

  streams("A consumer of a stream that has seen no record misses none after a loss", async (stage) => {
    const { transport, recovered } = await watched(stage);
    const stream = await declare(stage, transport);
    const inboxes = [await open(transport, stream, "next"), await open(transport, stream, "last")];
    await stage.sever();
    await recovered;
    await stage.send(transport, stream, "1", "2");
    for (const inbox of inboxes) assert.deepEqual(await inbox.texts(2), ["1", "2"]);
  });
}

function declare(stage: Stage, transport: Transport): Promise<string> {
  return stage.queue(transport, { arguments: { "x-queue-type": "stream" } });
}

async function open(
  transport: Transport,
  stream: string,
  offset: StreamOffset,
  prefetch = 10,
): Promise<Inbox> {
  const inbox = new Inbox();
  inbox.consumer = await transport.consume(stream, inbox.receiver, { prefetch, offset });
  return inbox;
}

function byNumber(one: string, other: string): number {
  return Number(one) - Number(other);
}
