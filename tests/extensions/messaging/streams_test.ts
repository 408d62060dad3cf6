import assert from "node:assert/strict";
import { consume, type ConsumeOptions, type Queue, queue } from "../../../extensions/messaging/mod.ts";
import type { EntrypointHost } from "../../../runtime/hosting/host.ts";
import { Retry } from "../../../runtime/message/retry.ts";
import type { ReceivedMessage } from "../../../runtime/service/entrypoint.ts";
import { service } from "../../../runtime/service/service.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { Record } from "../events/event_stage.ts";
import { type MessagingStage, messagingTest } from "./messaging_stage.ts";

interface Handled {
  readonly payload: unknown;
  readonly message: ReceivedMessage;
}

const JSON_TYPE = { contentType: "application/json", contentEncoding: "utf-8" };

function reader(
  records: Queue,
  handled: Record<Handled>,
  options: ConsumeOptions = {},
  act: (payload: unknown) => unknown = () => {},
) {
  return service("reader", {
    entrypoints: { read: consume(records, options) },
    handlers: {
      read(_context, payload, message) {
        handled.add({ payload, message });
        return act(payload);
      },
    },
  });
}

async function send(stage: MessagingStage, name: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    await stage.publish({ exchange: "", routingKey: name, body, properties: JSON_TYPE });
  }
}

function facts(handled: readonly Handled[]): unknown {
  return handled.map(({ payload, message: { offset, redelivered } }) => [payload, offset, redelivered]);
}

messagingTest("each instance gets all records of a stream, with their numbers", async (stage) => {
  const records = queue(stage.queueName(), { type: "stream", offset: "first" });
  const [one, other, late] = [new Record<Handled>(), new Record<Handled>(), new Record<Handled>()];
  await stage.serve(reader(records, one));
  await stage.serve(reader(records, other));
  await send(stage, records.name, "7", "8");
  const expected = [[7, 0, false], [8, 1, false]];
  for (const handled of [one, other]) assert.deepEqual(facts(await handled.reaches(2)), expected);
  await stage.serve(reader(records, late, { offset: 1 }));
  assert.deepEqual(facts(await late.reaches(1)), [[8, 1, false]]);
});

messagingTest("a record whose handler fails or asks for a retry is not offered again", async (stage) => {
  const records = queue(stage.queueName(), { type: "stream", offset: "first" });
  const handled = new Record<Handled>();
  const instance = await stage.serve(reader(records, handled, {}, (payload) => {
    if (payload === 1) throw new TypeError("boom");
    if (payload === 2) throw new Retry({ after: 1, cause: new Error("busy") });
  }));
  await send(stage, records.name, "1", "2", "3");
  await handled.reaches(3);
  await instance[Symbol.asyncDispose]();
  assert.deepEqual(facts(handled.all), [[1, 0, false], [2, 1, false], [3, 2, false]]);
  const texts = instance.log.map(({ message }) => message);
  assert.ok(texts.some((text) => text.includes("boom")), texts.join("\n"));
  assert.ok(
    texts.includes(
      `Cannot retry record 1 of stream "${records.name}", as reader.read asks: it would be a new record for every ` +
        "reader. It counts as failed: busy",
    ),
    texts.join("\n"),
  );
});

messagingTest("a record that cannot be read is buried, and stays in its stream", async (stage) => {
  const records = queue(stage.queueName(), { type: "stream", offset: "first" });
  const handled = new Record<Handled>();
  await stage.serve(reader(records, handled));
  await send(stage, records.name, "{", "2");
  const { text, delivery, settle } = await (await stage.dead(records.name)).next();
  settle("ack");
  assert.equal(text, "{");
  assert.equal(delivery.properties.headers?.["x-enoki-dead-reason"], "undecodable");
  assert.deepEqual(facts(await handled.reaches(1)), [[2, 1, false]]);
  const inbox = new Inbox();
  await (await stage.own()).consume(records.name, inbox.receiver, { prefetch: 1, offset: "first" });
  assert.deepEqual(await inbox.texts(2), ["{", "2"]);
});

/** Ends every call as if its thread were lost, together with others or alone, and notes what was run. */
function losing(
  handled: Record<Handled>,
  lostWith: (body: unknown, run: number) => number | undefined,
): EntrypointHost["run"] {
  return (_entry, { body, message }) => {
    handled.add({ payload: body, message: message as ReceivedMessage });
    const lost = lostWith(body, handled.all.length);
    if (lost === undefined) return Promise.resolve({ status: "done", body: undefined });
    const failure = { name: "WorkerLostError", message: "gone", code: "WORKER_LOST", retryable: true };
    return Promise.resolve({ status: "failed", failure, expected: false, lostWith: lost });
  };
}

messagingTest("a record that is lost with its thread twice, alone, is buried", async (stage) => {
  const records = queue(stage.queueName(), { type: "stream", offset: "first" });
  const handled = new Record<Handled>();
  await stage.serve(reader(records, handled), {}, {
    run: losing(handled, (body) => body === "1" ? 0 : undefined),
  });
  await send(stage, records.name, "1", "2");
  const { text, delivery, settle } = await (await stage.dead(records.name)).next();
  settle("ack");
  assert.equal(text, "1");
  assert.equal(delivery.properties.headers?.["x-enoki-dead-reason"], "thread lost");
});

messagingTest("a record that is lost together with others is run again, and never copied", async (stage) => {
  const records = queue(stage.queueName(), { type: "stream", offset: "first" });
  const [handled, other] = [new Record<Handled>(), new Record<Handled>()];
  await stage.serve(reader(records, handled), {}, {
    run: losing(handled, (_body, run) => run === 1 ? 1 : undefined),
  });
  await send(stage, records.name, "1");
  assert.deepEqual(facts(await handled.reaches(2)), [["1", 0, false], ["1", 0, true]]);
  await stage.serve(reader(records, other));
  await send(stage, records.name, "2");
  assert.deepEqual(facts(await other.reaches(2)), [[1, 0, false], [2, 1, false]]);
});
