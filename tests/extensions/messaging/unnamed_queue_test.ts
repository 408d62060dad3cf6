/** Queues without a name: each instance of a service has one of its own. */
import assert from "node:assert/strict";
import { consume, exchange, queue, queueName } from "../../../extensions/messaging/mod.ts";
import { amqp } from "../../../extensions/amqp/mod.ts";
import type { ReceivedMessage } from "../../../runtime/service/entrypoint.ts";
import { service } from "../../../runtime/service/service.ts";
import { brokerUri } from "../../fixtures/broker_probe.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { Record } from "../events/event_stage.ts";
import { type MessagingStage, messagingTest } from "./messaging_stage.ts";

const JSON_TYPE = { contentType: "application/json" };

/** What an instance was told of a message. */
interface Told {
  readonly instance: string;
  readonly payload: unknown;
  readonly message: ReceivedMessage;
}

/** A service that hears what comes through an exchange, in a queue of its own. */
function listening(source: string, told: Record<Told>) {
  const mine = queue({ exchange: exchange(source, { type: "fanout", autoDelete: true }) });
  return (instance: string) =>
    service("listener", {
      entrypoints: { hear: consume(mine) },
      handlers: { hear: (_context, payload, message) => told.add({ instance, payload, message }) },
    });
}

function say(stage: MessagingStage, source: string, payload: unknown): Promise<void> {
  return stage.publish({
    exchange: source,
    routingKey: "",
    body: JSON.stringify(payload),
    properties: JSON_TYPE,
  });
}

messagingTest("every instance gets every message in a queue without a name", async (stage) => {
  const source = stage.exchangeName();
  const told = new Record<Told>();
  const listener = listening(source, told);
  await stage.serve(listener("a"));
  await stage.serve(listener("b"));
  await say(stage, source, 1);
  const both = await told.reaches(2);
  assert.deepEqual(both.map(({ instance, payload }) => [instance, payload]).toSorted(), [["a", 1], ["b", 1]]);
  const queues = both.map(({ message }) => message.queue);
  assert.equal(new Set(queues).size, 2);
  for (const name of queues) assert.match(name, /^enoki\.gen-listener-/);
});

messagingTest("a queue without a name goes with its instance", async (stage) => {
  const source = stage.exchangeName();
  const told = new Record<Told>();
  const listener = listening(source, told);
  await stage.serve(listener("stays"));
  const instance = await stage.serve(listener("goes"));
  await say(stage, source, 1);
  const name = (await told.reaches(2)).find((each) => each.instance === "goes")!.message.queue;
  await instance[Symbol.asyncDispose]();
  await stage.gone(await stage.own(), name);
});

messagingTest("a queue without a name is nobody else's", async (stage) => {
  const source = stage.exchangeName();
  const told = new Record<Told>();
  await stage.serve(listening(source, told)("only"));
  await say(stage, source, 1);
  const [{ message }] = await told.reaches(1) as [Told];
  const own = await stage.own();
  await assert.rejects(own.consume(message.queue, () => Promise.resolve("ack"), { prefetch: 1 }), {
    name: "BrokerError",
  });
});

messagingTest(
  "entrypoints with the same queue share it, and those with another one do not",
  async (stage) => {
    const source = exchange(stage.exchangeName(), { type: "fanout", autoDelete: true });
    const [shared, other] = [queue({ exchange: source }), queue({ exchange: source })];
    const told = new Record<readonly [method: string, queue: string, payload: unknown]>();
    const hear = (method: string) => (_context: unknown, payload: unknown, { queue }: ReceivedMessage) =>
      told.add([method, queue, payload]);
    await stage.serve(service("listener", {
      entrypoints: { one: consume(shared, { prefetch: 1 }), two: consume(shared), three: consume(other) },
      handlers: { one: hear("one"), two: hear("two"), three: hear("three") },
    }));
    for (let number = 0; number < 4; number++) await say(stage, source.name, number);
    const all = await told.reaches(8);
    const ofOther = all.filter(([method]) => method === "three");
    assert.deepEqual(ofOther.map(([, , payload]) => payload), [0, 1, 2, 3]);
    const ofShared = all.filter(([method]) => method !== "three");
    assert.deepEqual(ofShared.map(([, , payload]) => payload).toSorted(), [0, 1, 2, 3]);
    assert.equal(new Set(ofShared.map(([, queue]) => queue)).size, 1);
    assert.notEqual(ofShared[0]![1], ofOther[0]![1]);
  },
);

messagingTest("queueName() gives the name to whoever needs it for a reply", async (stage) => {
  const questions = stage.queueName();
  const answers = queue();
  const told = new Record<ReceivedMessage>();
  const names = new Record<string>();
  await stage.serve(service("asker", {
    dependencies: { answerTo: queueName(answers) },
    entrypoints: { ask: consume(queue(questions)), answered: consume(answers) },
    handlers: {
      ask: ({ answerTo }) => names.add(answerTo),
      answered: (_context, _payload, message) => told.add(message),
    },
  }));
  for (let times = 0; times < 2; times++) {
    await stage.publish({ exchange: "", routingKey: questions, body: "1", properties: JSON_TYPE });
  }
  const [first, second] = await names.reaches(2);
  assert.equal(first, second);
  await stage.publish({ exchange: "", routingKey: first!, body: "1", properties: JSON_TYPE });
  assert.equal((await told.reaches(1))[0]!.queue, first);
});

const uri = await brokerUri();

messagingTest.on("amqp", "a queue without a name is the same after a reconnect", async (stage) => {
  await using proxy = await SeverableProxy.open(uri!);
  const regained = Promise.withResolvers<void>();
  const transport = amqp(proxy.uri, {
    retryStep: 20,
    onStatus: ({ state }) => state === "connected" && lost && regained.resolve(),
  });
  let lost = false;
  await transport.connect();
  const source = stage.exchangeName();
  const told = new Record<Told>();
  // It ends before the proxy does: the broker holds the queue as long as it has not seen the connection end.
  await using _serving = await stage.serve(listening(source, told)("only"), {}, { transport });
  await say(stage, source, 1);
  await told.reaches(1);
  lost = true;
  await proxy.sever();
  await regained.promise;
  // The broker may still believe the former connection to be alive, and then holds the queue for a while.
  while (told.all.length < 2) await say(stage, source, 2).catch(() => {});
  assert.deepEqual(told.all.map(({ payload }) => payload).slice(0, 2), [1, 2]);
  assert.equal(new Set(told.all.map(({ message }) => message.queue)).size, 1);
});
