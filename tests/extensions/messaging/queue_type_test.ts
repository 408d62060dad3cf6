import assert from "node:assert/strict";
import { consume, queue, type QueueOptions } from "../../../extensions/messaging/mod.ts";
import { consumedQueues } from "../../../extensions/messaging/host.ts";
import { describe } from "../../../runtime/service/manifest.ts";
import { hostedEntrypoints } from "../../../runtime/hosting/host.ts";
import { service } from "../../../runtime/service/service.ts";
import { amqp } from "../../../extensions/amqp/mod.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import type { ReceivedMessage } from "../../../runtime/service/entrypoint.ts";
import { Retry } from "../../../runtime/message/retry.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { Record } from "../events/event_stage.ts";
import { messagingTest } from "./messaging_stage.ts";

const JSON_TYPE = { contentType: "application/json" };

const WRITTEN: readonly (readonly [QueueOptions, FieldTable])[] = [
  [{ type: "classic" }, { "x-queue-type": "classic" }],
  [{ type: "quorum", deliveryLimit: 3 }, { "x-queue-type": "quorum", "x-delivery-limit": 3 }],
  [{ type: "quorum", messageTtl: 1, maxLength: 2, expires: 3, deadLetterExchange: "" }, {
    "x-queue-type": "quorum",
    "x-message-ttl": 1,
    "x-max-length": 2,
    "x-expires": 3,
    "x-dead-letter-exchange": "",
  }],
  [{ type: "stream", maxBytes: 9, maxAge: "7D", maxSegmentSize: 8, offset: "first" }, {
    "x-queue-type": "stream",
    "x-max-length-bytes": 9,
    "x-max-age": "7D",
    "x-stream-max-segment-size-bytes": 8,
  }],
];

for (const [options, expected] of WRITTEN) {
  const declared = () => queue("orders", options).topology.queues![0]!;

  Deno.test(`queue() writes ${JSON.stringify(options)} as RabbitMQ names it`, () => {
    assert.deepEqual(declared().arguments, expected);
  });

  brokerTest(`RabbitMQ takes a queue with ${JSON.stringify(options)}`, async (uri) => {
    await using transport = amqp(uri);
    await transport.connect();
    const name = `enoki-test-${crypto.randomUUID()}`;
    try {
      await transport.declare({ queues: [{ ...declared(), name }] });
    } finally {
      await transport.deleteQueue(name);
    }
  });
}

for (const type of ["quorum", "stream"] as const) {
  Deno.test(`queue() without a name cannot be a ${type} queue`, () => {
    assert.throws(() => queue({ type } as object), {
      name: "TypeError",
      message:
        `Cannot declare a queue without a name: it goes with its connection, and type "${type}" stays. ` +
        "Give it a name",
    });
  });
}

/** What a type cannot do, as the options say it and as the broker would be told. */
const REFUSED: readonly (readonly [QueueOptions, RegExp])[] = [
  ...["quorum", "stream"].flatMap((type): (readonly [QueueOptions, RegExp])[] => [
    [{ type: type as "quorum", exclusive: true }, /has no exclusive/],
    [{ type: type as "quorum", autoDelete: true }, /has no autoDelete/],
    [{ type: type as "quorum", durable: false }, /has no durable: false/],
    [{ type: type as "quorum", maxPriority: 5 }, /has no maxPriority/],
    [{ type: type as "quorum", arguments: { "x-queue-mode": "lazy" } }, /has no x-queue-mode/],
  ]),
  [{ type: "quorum", maxAge: "1h" }, /has no maxAge/],
  [{ type: "quorum", maxSegmentSize: 1_000 }, /has no maxSegmentSize/],
  [{ deliveryLimit: 3 }, /type "classic" has no deliveryLimit. Leave it out, or use type "quorum"/],
  [{ maxAge: "1h" }, /type "classic" has no maxAge. Leave it out, or use type "stream"/],
  [{ type: "stream", messageTtl: 1 }, /has no messageTtl. Leave it out, or use type "classic" or "quorum"/],
  [{ type: "stream", expires: 1 }, /has no expires/],
  [{ type: "stream", maxLength: 1 }, /has no maxLength/],
  [{ type: "stream", deadLetterExchange: "" }, /has no deadLetterExchange/],
  [{ type: "stream", deliveryLimit: 1 }, /has no deliveryLimit/],
  [{ arguments: { "x-queue-type": "stream", "x-overflow": "reject-publish" } }, /has no x-overflow/],
  [{ type: "stream", arguments: { "x-single-active-consumer": true } }, /has no x-single-active-consumer/],
  [{ arguments: { "x-queue-type": "log" } }, /type "log" is not known/],
];

for (const [options, message] of REFUSED) {
  Deno.test(`queue() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => queue("orders", options), { name: "TypeError", message });
  });

  brokerTest(`RabbitMQ refuses a queue with ${JSON.stringify(options)}`, async (uri) => {
    await using transport = amqp(uri);
    await transport.connect();
    const { durable = true, exclusive = false, autoDelete = false, type } = options;
    const name = `enoki-test-${crypto.randomUUID()}`;
    const names = {
      maxPriority: "x-max-priority",
      maxAge: "x-max-age",
      maxSegmentSize: "x-stream-max-segment-size-bytes",
      deliveryLimit: "x-delivery-limit",
      messageTtl: "x-message-ttl",
      expires: "x-expires",
      maxLength: "x-max-length",
      deadLetterExchange: "x-dead-letter-exchange",
    } as const;
    const table = Object.fromEntries(
      Object.entries(names).flatMap(([option, argument]) => {
        const value = options[option as keyof typeof names];
        return value === undefined ? [] : [[argument, value as string | number]];
      }),
    );
    await assert.rejects(transport.declare({
      queues: [{
        name,
        durable,
        exclusive,
        autoDelete,
        arguments: { ...options.arguments, ...table, ...(type !== undefined && { "x-queue-type": type }) },
      }],
    }));
  });
}

for (const maxAge of ["1w", "0s", "60", ""]) {
  Deno.test(`queue() refuses a maxAge of "${maxAge}"`, () => {
    assert.throws(() => queue("orders", { type: "stream", maxAge }), /Give it a number and a unit/);
  });
}

for (const offset of ["latest", "0s", -1, 1.5, new Date(NaN)]) {
  Deno.test(`queue() and consume() refuse the offset ${String(offset)}`, () => {
    assert.throws(() => queue("orders", { type: "stream", offset }), RangeError);
    assert.throws(() => consume(queue("orders", { type: "stream" }), { offset }), RangeError);
  });
}

Deno.test("queue() and consume() refuse an offset where the queue is no stream", () => {
  assert.throws(() => queue("orders", { type: "quorum", offset: "first" }), /only a stream has an offset/);
  assert.throws(() => consume(queue("orders"), { offset: "first" }), /only a stream has offsets/);
});

Deno.test("consume() refuses to publish a stream's records again", () => {
  const records = queue("records", { type: "stream" });
  assert.throws(() => consume(records, { retry: {} }), /Cannot consume stream "records" with retry/);
  assert.throws(() => consume(records, { requeueOnError: true }), /with requeueOnError/);
});

Deno.test("consume() neither forgets the records of a stream nor replies to them", () => {
  const records = queue("records", { type: "stream" });
  assert.throws(() => consume(records, { noAck: true }), /with noAck: a stream forgets no record/);
  assert.throws(
    () => consume(records, { reply: true }),
    /with reply: every reader of the record would reply/,
  );
});

/** Where a consumer begins, as the main thread reads it in the manifest. */
function begins(offset?: Parameters<typeof consume>[1], own?: QueueOptions["offset"]): unknown {
  const records = queue("records", { type: "stream", ...(own !== undefined && { offset: own }) });
  const manifest = describe(service("reader", {
    entrypoints: { read: consume(records, offset) },
    handlers: { read() {} },
  }));
  const [subscription] = consumedQueues(hostedEntrypoints(structuredClone(manifest)));
  return subscription!.offset;
}

Deno.test("consume() begins a stream where it says, else where the queue says, else at the next record", () => {
  assert.deepEqual([begins({ offset: 7 }, "first"), begins({}, "first"), begins()], [7, "first", "next"]);
});

Deno.test("consume() begins a stream at a date, or at an age before it starts", () => {
  assert.deepEqual(begins({ offset: new Date(5_000) }), { at: 5_000 });
  const before = Date.now();
  const { at } = begins({ offset: "2h" }) as { readonly at: number };
  assert.ok(at >= before - 7_200_000 && at <= Date.now() - 7_200_000);
});

messagingTest(
  "a retry of a message that a quorum queue had counted begins without that count",
  async (stage) => {
    const jobs = queue(stage.queueName(), { type: "quorum" });
    const transport = await stage.own();
    await transport.declare(jobs.topology);
    const inbox = await stage.open(jobs.name);
    await stage.publish({ exchange: "", routingKey: jobs.name, body: "1", properties: JSON_TYPE });
    const { settle } = await inbox.next();
    await inbox.consumer!.cancel();
    settle("requeue");
    await inbox.consumer!.stop();
    const handled = new Record<ReceivedMessage>();
    await stage.serve(service("worker", {
      entrypoints: { work: consume(jobs) },
      handlers: {
        work(_context, _payload, message) {
          handled.add(message);
          if (handled.all.length === 1) throw new Retry({ after: 1 });
        },
      },
    }));
    const [first, again] = await handled.reaches(2);
    assert.deepEqual([first!.redelivered, again!.redelivered], [true, false]);
    assert.equal(again!.properties.headers?.["x-delivery-count"], undefined);
  },
);

messagingTest(
  "a quorum queue gives up a message that is given back more often than its limit",
  async (stage) => {
    const lost = stage.queueName();
    const jobs = queue(stage.queueName(), {
      type: "quorum",
      deliveryLimit: 2,
      deadLetterExchange: "",
      deadLetterRoutingKey: lost,
    });
    await (await stage.own()).declare(queue(lost).topology);
    const handled = new Record<unknown>();
    await stage.serve(service("worker", {
      entrypoints: { work: consume(jobs, { requeueOnError: true }) },
      handlers: {
        work(_context, payload) {
          handled.add(payload);
          if (payload === 1) throw new Error("boom");
        },
      },
    }));
    await stage.publish({ exchange: "", routingKey: jobs.name, body: "1", properties: JSON_TYPE });
    const { text, delivery, settle } = await (await stage.open(lost)).next();
    settle("ack");
    assert.equal(text, "1");
    assert.match(JSON.stringify(delivery.properties.headers?.["x-death"]), /"reason":"delivery_limit"/);
    assert.deepEqual(handled.all, [1, 1, 1]);
    await stage.publish({ exchange: "", routingKey: jobs.name, body: "2", properties: JSON_TYPE });
    await handled.reaches(4);
  },
);
