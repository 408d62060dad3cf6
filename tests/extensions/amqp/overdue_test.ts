import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { OverdueDeliveries } from "../../../extensions/amqp/overdue.ts";
import type { Delivery, TransportStatus, Verdict } from "../../../runtime/message/transport.ts";
import { letter } from "../../../runtime/message/conformance/stage.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { FrameProxy, METHODS } from "../../fixtures/frame_proxy.ts";
import { PrivateRabbitmq } from "../../fixtures/private_rabbitmq.ts";

const ignore = !await PrivateRabbitmq.isInstalled();

const LIMIT = 2_000;

/** Milliseconds after which a test does not wait any longer. */
const PATIENCE = 60_000;

/** Waits until an event has happened so often. */
class Counter {
  #count = 0;
  readonly #waits: (readonly [number, () => void])[] = [];

  get count(): number {
    return this.#count;
  }

  add(): void {
    this.#count++;
    for (const [wanted, resolve] of this.#waits) {
      if (this.#count >= wanted) resolve();
    }
  }

  reaches(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#count >= count) return resolve();
      const late = setTimeout(() => reject(new Error(`Counted ${this.#count} of ${count}`)), PATIENCE);
      this.#waits.push([count, () => (clearTimeout(late), resolve())]);
    });
  }
}

function counting(counter: Counter) {
  return (status: TransportStatus) => {
    if (status.state === "interrupted" && /consumer_timeout/.test(status.reason)) counter.add();
  };
}

Deno.test({
  name: "A message whose handler takes longer than the broker waits is run once, and its outcome counts",
  ignore,
  async fn() {
    await using node = await PrivateRabbitmq.open();
    await node.limitConsumers(LIMIT);
    const closings = new Counter();
    const runs: string[] = [];
    const end = Promise.withResolvers<void>();
    const others = new Counter();
    await using transport = amqp(node.uri, { onStatus: counting(closings) });
    await transport.connect();
    await transport.declare({ queues: [{ name: "jobs" }] });
    const signals: AbortSignal[] = [];
    const consumer = await transport.consume("jobs", async (delivery): Promise<Verdict> => {
      const text = new TextDecoder().decode(delivery.body);
      runs.push(text);
      if (text !== "long") {
        others.add();
        return "ack";
      }
      signals.push(delivery.signal);
      await end.promise;
      return "ack";
    }, { prefetch: 10 });
    await transport.publish(letter("jobs", "long"));
    await closings.reaches(2);
    await transport.publish(letter("jobs", "short"));
    await others.reaches(1);
    assert.deepEqual(runs, ["long", "short"]);
    assert.equal(signals[0]!.aborted, false);
    end.resolve();
    await consumer.stop();
    assert.equal(await transport.countMessages("jobs"), 0);
    assert.deepEqual(runs, ["long", "short"]);
  },
});

Deno.test({
  name: "A message that takes too long is run at most once by each of two processes",
  ignore,
  async fn() {
    await using node = await PrivateRabbitmq.open();
    await node.limitConsumers(LIMIT);
    const runs = new Counter();
    const ends = [Promise.withResolvers<Verdict>(), Promise.withResolvers<Verdict>()];
    const closings = new Counter();
    const consumers = [];
    await using first = amqp(node.uri, { onStatus: counting(closings) });
    await using second = amqp(node.uri, { onStatus: counting(closings) });
    for (const [place, transport] of [first, second].entries()) {
      await transport.connect();
      await transport.declare({ queues: [{ name: "jobs" }] });
      consumers.push(
        await transport.consume("jobs", () => {
          runs.add();
          return ends[place]!.promise;
        }, { prefetch: 10 }),
      );
    }
    await first.publish(letter("jobs", "long"));
    await closings.reaches(4);
    assert.ok(runs.count <= 2, `${runs.count} runs`);
    for (const { resolve } of ends) resolve("ack");
    // The repetition may be with the other process, which has the verdict of its own run.
    await node.drained("jobs");
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    assert.ok(runs.count <= 2, `${runs.count} runs`);
  },
});

function delivery(body: string, redelivered: boolean, headers = {}): Delivery {
  return {
    exchange: "e",
    routingKey: "k",
    body: new TextEncoder().encode(body),
    properties: { messageId: "1", headers },
    redelivered,
    signal: new AbortController().signal,
  };
}

Deno.test("OverdueDeliveries gives a repetition the verdict of the run, before and after its end", () => {
  for (const endsFirst of [true, false]) {
    const overdue = new OverdueDeliveries(1_000);
    const run = overdue.add("q", delivery("a", false));
    const verdicts: Verdict[] = [];
    if (endsFirst) run.end("reject");
    const attached = overdue.attach("q", delivery("a", true, { "x-delivery-count": 1 }), (verdict) => {
      verdicts.push(verdict);
    });
    if (!endsFirst) run.end("reject");
    assert.notEqual(attached, false);
    assert.deepEqual(verdicts, ["reject"]);
    assert.equal(overdue.attach("q", delivery("a", true), () => {}), false, "one run answers one delivery");
  }
});

Deno.test("OverdueDeliveries leaves to the receiver what repeats no run", () => {
  const overdue = new OverdueDeliveries(1_000);
  overdue.add("q", delivery("a", false)).end("ack");
  const fail = () => assert.fail("a verdict without a run");
  assert.equal(overdue.attach("q", delivery("a", false), fail), false, "it is no repetition");
  assert.equal(overdue.attach("q", delivery("b", true), fail), false, "its body differs");
  assert.equal(overdue.attach("r", delivery("a", true), fail), false, "its queue differs");
  assert.equal(overdue.attach("q", delivery("a", true, { b: 1 }), fail), false, "its headers differ");
  overdue.add("s", delivery("a", false)).end("requeue");
  assert.equal(overdue.attach("s", delivery("a", true), fail), false, "it is to be run again");
});

Deno.test("OverdueDeliveries gives the verdict to the next repetition when a channel has closed again", () => {
  const overdue = new OverdueDeliveries(1_000);
  const run = overdue.add("q", delivery("a", false));
  const leave = overdue.attach("q", delivery("a", true), () => assert.fail("its channel has closed"));
  assert.ok(leave);
  leave();
  const verdicts: Verdict[] = [];
  overdue.attach("q", delivery("a", true), (verdict) => verdicts.push(verdict));
  leave();
  run.end("ack");
  assert.deepEqual(verdicts, ["ack"]);
});

Deno.test("OverdueDeliveries forgets verdicts that are old", async () => {
  const overdue = new OverdueDeliveries(0);
  overdue.add("q", delivery("a", false)).end("ack");
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(overdue.attach("q", delivery("a", true), () => assert.fail()), false);
});

brokerTest(
  "A consumer asks for as much patience as its handler may need, and says what it may not get",
  async (uri) => {
    await using proxy = await FrameProxy.open(uri);
    const consumes: string[] = [];
    proxy.interfere = (frame) => {
      if (!frame.fromBroker && frame.is(METHODS.consume)) consumes.push(frame.bytes.toString("latin1"));
      return undefined;
    };
    const limited: TransportStatus[] = [];
    await using transport = amqp(proxy.uri, {
      consumerTimeout: 600_000,
      onStatus: (status) => status.state === "limited" && limited.push(status),
    });
    await transport.connect();
    const names = [1, 2, 3].map(() => `enoki-test-${crypto.randomUUID()}`);
    for (const [place, longest] of [200_000, 400_000, 601_000].entries()) {
      const name = names[place]!;
      await transport.declare({ queues: [{ name }] });
      await transport.consume(name, () => Promise.resolve("ack"), { prefetch: 1, longest });
    }
    assert.deepEqual(consumes.map((frame) => frame.includes("x-consumer-timeout")), [false, true, true]);
    // RabbitMQ before 3.12 ignores the argument.
    const { broker } = transport;
    const expected = { state: "limited", broker, queue: names[2], longest: 601_000, limit: 600_000 } as const;
    if (limited.length > 0) assert.deepEqual(limited, [expected]);
    for (const name of names) await transport.deleteQueue(name);
  },
);
