import type { Counter } from "../../../runtime/telemetry/metric.ts";
import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { type EntrypointHost, invocationOf } from "../../../runtime/hosting/host.ts";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { BadRequestError, WorkerLostError } from "../../../runtime/message/errors.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import { deadLetterQueueOf } from "../../../runtime/hosting/message_fate.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import { type EndedOutcome, failed, type Outcome } from "../../../runtime/message/outcome.ts";
import { Retry } from "../../../runtime/message/retry.ts";
import { QueueHost, type QueueSubscription } from "../../../runtime/hosting/queue_host.ts";
import type { Invocation } from "../../../runtime/channel/port.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import { letter } from "../../../runtime/message/conformance/stage.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

const DONE: Outcome = { status: "done", body: undefined };
const FAILED = failed(describeFailure(new Error("boom")));
const MALFORMED: Outcome = {
  ...failed(describeFailure(new BadRequestError("what is this", { reason: "MalformedRequest" })), true),
  undecoded: true,
};

/** A call that waits for the test to give it its outcome. */
interface Running {
  readonly invocation: Invocation;
  readonly settle: (outcome: Outcome) => void;
}

/** A queue host over memory whose calls the test settles. */
class Stage implements AsyncDisposable {
  readonly records: LogRecord[] = [];
  readonly aborting = new AbortController();
  readonly metrics = new Metrics();
  readonly transport = memory({ broker: new MemoryBroker() });
  readonly host: QueueHost;
  sheds = 0;
  readonly #running: Running[] = [];
  #wake: (() => void) | undefined;
  #onDemand: ((demand: number) => void) | undefined;
  #watched: Promise<unknown> | undefined;

  constructor(subscriptions: readonly Partial<QueueSubscription>[]) {
    const host: EntrypointHost = {
      service: "test",
      transport: this.transport,
      config: {},
      log: createLog({ emit: (record) => this.records.push(record) }),
      signal: this.aborting.signal,
      demand: 2,
      onDemand: (listener) => void (this.#onDemand = listener),
      metrics: this.metrics,
      clock: SYSTEM_CLOCK,
      shed: () => void this.sheds++,
      least: () => 0,
      watch: (task) => void (this.#watched = task),
      run: (entry, payload) =>
        new Promise((settle) => {
          this.#running.push({ invocation: invocationOf(entry, payload), settle });
          this.#wake?.();
        }),
    };
    this.host = new QueueHost(
      subscriptions.map((subscription, index) => ({
        entry: { index, method: "handle", kind: "test", options: {}, timeout: undefined },
        queue: `q${index}`,
        topology: { queues: [{ name: `q${index}` }] },
        requeueOnError: false,
        ...subscription,
      })),
      host,
    );
  }

  static async open(...subscriptions: readonly Partial<QueueSubscription>[]): Promise<Stage> {
    const stage = new Stage(subscriptions);
    await stage.transport.connect();
    await stage.host.setup();
    await stage.host.start();
    return stage;
  }

  /** Sends texts to the first queue. */
  async send(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.transport.publish(letter("q0", text));
  }

  /** The next call that was made, in order. */
  async next(): Promise<Running> {
    while (this.#running.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#running.shift()!;
  }

  async changeDemand(demand: number): Promise<void> {
    this.#onDemand!(demand);
    await this.#watched;
  }

  /** Messages that wait in the first queue. */
  left(): Promise<number | undefined> {
    return this.transport.countMessages("q0");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.stop();
    await this.transport.close();
  }
}

Deno.test("QueueHost holds as many messages as the pool can make use of, and follows it", async () => {
  await using stage = await Stage.open({});
  await stage.send("1", "2", "3", "4", "5");
  assert.equal(await stage.left(), 3);
  await stage.changeDemand(4);
  assert.equal(await stage.left(), 1);
  assert.equal(stage.sheds, 0);
  await stage.changeDemand(1);
  assert.equal(stage.sheds, 1);
});

Deno.test("QueueHost holds as many as the entrypoint says, whatever the pool can make use of", async () => {
  await using stage = await Stage.open({ prefetch: 1 });
  await stage.send("1", "2", "3");
  await stage.changeDemand(10);
  assert.equal(await stage.left(), 2);
});

Deno.test("QueueHost.stop() lets no more in, and disposal waits for what runs", async () => {
  await using stage = await Stage.open({});
  await stage.send("1", "2", "3");
  const first = await stage.next();
  const second = await stage.next();
  await stage.host.stop();
  let disposed = false;
  const disposal = stage.host[Symbol.asyncDispose]().then(() => disposed = true);
  first.settle(DONE);
  assert.equal(await stage.left(), 1);
  assert.equal(disposed, false);
  second.settle(FAILED);
  await disposal;
  assert.equal(await stage.left(), 1);
});

Deno.test("QueueHost gives a message back that was not run", async () => {
  await using stage = await Stage.open({ prefetch: 1 });
  await stage.send("1");
  (await stage.next()).settle({ status: "unstarted", reason: "shed" });
  const { invocation, settle } = await stage.next();
  assert.equal(invocation.body, "1");
  settle(DONE);
});

for (const [what, outcome] of [["failed", FAILED], ["could not be read", MALFORMED]] as const) {
  Deno.test(`QueueHost gives a message back that ${what} while the container stops by force`, async () => {
    await using stage = await Stage.open({});
    await stage.send("1");
    const { settle } = await stage.next();
    await stage.host.stop();
    stage.aborting.abort();
    settle(outcome);
    await stage.host[Symbol.asyncDispose]();
    assert.equal(await stage.left(), 1);
    assert.equal(await stage.transport.countMessages(deadLetterQueueOf("q0")), undefined);
  });
}

Deno.test("QueueHost takes a thread that another service lost as any error of the handler", async () => {
  await using stage = await Stage.open({});
  await stage.send("1");
  const failure = describeFailure(new WorkerLostError("the other service's"));
  (await stage.next()).settle({ status: "failed", failure, expected: false });
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  assert.equal(await stage.left(), 0);
});

Deno.test("QueueHost takes a request that another service cannot read as any error, expected or not", async () => {
  await using stage = await Stage.open({});
  await stage.send("1");
  const failure = describeFailure(
    new BadRequestError("the other service's", { reason: "MalformedRequest" }),
  );
  (await stage.next()).settle({ status: "failed", failure, expected: true });
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  assert.equal(await stage.transport.countMessages(deadLetterQueueOf("q0")), undefined);
});

Deno.test("QueueHost buries a message that was lost ten times, if always with others", async () => {
  await using stage = await Stage.open({});
  const { exchange, routingKey, body } = letter("q0", "1");
  await stage.transport.publish({
    exchange,
    routingKey,
    body,
    properties: { headers: { "x-enoki-exchange": "shop", "x-enoki-lost-with-others": 9 } },
  });
  (await stage.next()).settle({ ...failed(describeFailure(new WorkerLostError("gone"))), lostWith: 1 });
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  assert.equal(await stage.transport.countMessages(deadLetterQueueOf("q0")), 1);
});

Deno.test("QueueHost gives a message back that cannot be buried, says so, and tries again", async () => {
  await using stage = await Stage.open({});
  const name = deadLetterQueueOf("q0");
  await stage.transport.declare({ queues: [{ name, autoDelete: true }] });
  await stage.send("1");
  (await stage.next()).settle(MALFORMED);
  const { settle } = await stage.next();
  const said = stage.records.map(({ message }) => message);
  assert.ok(
    said.some((message) => message.startsWith('Cannot settle a message of queue "q0": Cannot declare')),
  );
  await stage.transport.deleteQueue(name);
  settle(MALFORMED);
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  assert.equal(await stage.transport.countMessages(name), 1);
});

Deno.test("QueueHost drops a message of which no copy can be written, says which, and never says that it buried it", async () => {
  await using stage = await Stage.open({});
  const publish = stage.transport.publish.bind(stage.transport);
  await stage.send("1");
  const { settle } = await stage.next();
  Object.assign(stage.transport, {
    publish: (message: Message) =>
      message.routingKey === deadLetterQueueOf("q0")
        ? Promise.reject(new RangeError("it does not fit"))
        : publish(message),
  });
  settle(MALFORMED);
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  assert.equal(await stage.left(), 0);
  assert.deepEqual(stage.records.map(({ message }) => message), [
    "Dropped a message that could be neither handled nor moved: Cannot publish a copy of a message of queue " +
    '"q0" (exchange "", routing key "q0"): it does not fit',
  ]);
});

Deno.test("QueueHost tells the pool the entrypoint, its timeout and the message", async () => {
  const entry = { index: 1, method: "handle", kind: "test", options: {}, timeout: 500 };
  await using stage = await Stage.open({}, { entry });
  const headers = { "nameko.language": "en", "nameko.enoki_deadline": "1" };
  await stage.transport.publish({
    exchange: "",
    routingKey: "q1",
    body: "{}",
    properties: { contentType: "application/json", headers },
  });
  const { invocation, settle } = await stage.next();
  settle(DONE);
  assert.deepEqual(invocation, {
    entrypoint: 1,
    body: "{}",
    contentType: "application/json",
    headers: { "nameko.language": "en" },
    timeout: 500,
  });
});

Deno.test("QueueHost says which attempt a retry is, and where a message is after the last one", async () => {
  const retry = { max: 1, initial: 1, factor: 1, limit: 1 };
  const entry = { index: 0, method: "handle", kind: "test", options: { retry }, timeout: undefined };
  await using stage = await Stage.open({ entry });
  await stage.send("a");
  await stage.transport.publish({
    ...letter("q0", "b"),
    properties: { headers: { "x-enoki-exchange": "", "x-enoki-routing-key": "q0", "x-enoki-attempt": 1 } },
  });
  const asked = failed(describeFailure(new Retry({ cause: new Error("550 mailbox unavailable") })));
  const buried = Promise.withResolvers<void>();
  await stage.transport.declare({ queues: [{ name: deadLetterQueueOf("q0") }] });
  await stage.transport.consume(deadLetterQueueOf("q0"), () => {
    buried.resolve();
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  (await stage.next()).settle(asked);
  (await stage.next()).settle(asked);
  await buried.promise;
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  assert.deepEqual(stage.records.map(({ level, message }) => [level, message]), [
    ["info", "test.handle asked for a retry: attempt 2 of 2 in 0.001 s"],
    [
      "error",
      'Gave up a message of queue "q0" after 2 attempts: 550 mailbox unavailable. Moved to enoki.dead.q0. ' +
      "See: enoki dead list q0",
    ],
  ]);
});

/** A message that names a queue for its answer. */
const QUESTION: Message = {
  ...letter("q0", "?"),
  properties: { contentType: "text/plain", replyTo: "answers" },
};

Deno.test("QueueHost takes a message that it answers off its queue when the answer is out", async () => {
  const answered = Promise.withResolvers<void>();
  const out = Promise.withResolvers<void>();
  await using stage = await Stage.open({
    prefetch: 1,
    answer: () => {
      answered.resolve();
      return out.promise;
    },
  });
  await stage.transport.publish(QUESTION);
  await stage.send("next");
  (await stage.next()).settle(FAILED);
  await answered.promise;
  assert.equal(await stage.left(), 1);
  out.resolve();
  assert.equal((await stage.next()).invocation.body, "next");
});

Deno.test("QueueHost offers a message again whose answer could not be sent", async () => {
  let failures = 1;
  await using stage = await Stage.open({
    answer: () => failures-- > 0 ? Promise.reject(new Error("no broker")) : Promise.resolve(),
  });
  await stage.transport.publish(QUESTION);
  (await stage.next()).settle(DONE);
  (await stage.next()).settle(DONE);
});

Deno.test("QueueHost answers a message that was lost with its thread, and buries none that it answers", async () => {
  const answers: EndedOutcome[] = [];
  await using stage = await Stage.open({
    prefetch: 1,
    answer: (_delivery, outcome) => Promise.resolve(void answers.push(outcome)),
  });
  const lost: EndedOutcome = { ...failed(describeFailure(new WorkerLostError("gone"))), lostWith: 0 };
  for (const outcome of [lost, MALFORMED]) {
    await stage.transport.publish(QUESTION);
    (await stage.next()).settle(outcome);
  }
  await stage.send("next");
  await stage.next();
  assert.deepEqual(answers, [lost, MALFORMED]);
  assert.equal(await stage.transport.countMessages(deadLetterQueueOf("q0")), undefined);
});

Deno.test("QueueHost runs a message without acknowledgement again that the pool gives back, until it stops", async () => {
  await using stage = await Stage.open({ prefetch: 1, noAck: true });
  await stage.send("1", "2");
  (await stage.next()).settle({ status: "unstarted", reason: "shed" });
  (await stage.next()).settle(DONE);
  const { invocation, settle } = await stage.next();
  assert.equal(invocation.body, "2");
  const stopped = stage.host.stop();
  settle({ status: "unstarted", reason: "stopping" });
  await stopped;
  assert.equal(await stage.left(), 0);
  assert.match(
    stage.records.at(-1)!.message,
    /^Lost a message of queue "q0".*stopped before its handler ran$/,
  );
});

Deno.test("QueueHost.stop() waits for the calls of messages without acknowledgement", async () => {
  await using stage = await Stage.open({ prefetch: 1, noAck: true });
  await stage.send("1", "2");
  const first = await stage.next();
  let stopped = false;
  const stopping = stage.host.stop().then(() => stopped = true);
  first.settle({ status: "unstarted", reason: "shed" });
  const again = await stage.next();
  await setImmediate();
  assert.equal(stopped, false);
  again.settle(DONE);
  await stopping;
  assert.equal(await stage.left(), 1);
});

Deno.test("QueueHost.stop() waits for no call once the container must stop at once", async () => {
  await using stage = await Stage.open({ prefetch: 1, noAck: true });
  await stage.send("1");
  const { settle } = await stage.next();
  const stopping = stage.host.stop();
  stage.aborting.abort();
  await stopping;
  settle(DONE);
});

Deno.test("QueueHost counts redeliveries, retries and deaths by queue, instances together", async () => {
  const queue = "evt-a-b--test.handle-0f8fad5b-d9cb-469f-a165-70867728950e";
  const retry = { max: 1, initial: 60_000, factor: 1, limit: 60_000 };
  const entry = { index: 0, method: "handle", kind: "test", options: { retry }, timeout: undefined };
  await using stage = await Stage.open({ entry, queue, topology: { queues: [{ name: queue }] } });
  await stage.transport.publish(letter(queue, "1"));
  (await stage.next()).settle({ status: "unstarted", reason: "shed" });
  (await stage.next()).settle(FAILED);
  await stage.transport.publish(letter(queue, "2"));
  (await stage.next()).settle(MALFORMED);
  await stage.host.stop();
  await stage.host[Symbol.asyncDispose]();
  const counted = stage.metrics.collect().flatMap(({ name, series }) =>
    [...series].map(({ labels, value }) => `${name} ${labels.join(" ")} ${(value as Counter).value}`)
  );
  assert.deepEqual(counted, [
    "enoki_messages_redelivered_total test evt-a-b--test.handle-* 1",
    "enoki_messages_retried_total test evt-a-b--test.handle-* 1",
    "enoki_messages_dead_total test evt-a-b--test.handle-* undecodable 1",
  ]);
});
