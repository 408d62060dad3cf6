import assert from "node:assert/strict";
import { exchange, queue, type QueueOptions } from "../../../extensions/messaging/mod.ts";
import type { QueueDeclaration } from "../../../runtime/message/transport.ts";

/** What is declared for the queue itself. */
function declared(options: QueueOptions = {}): QueueDeclaration {
  return queue("orders", options).topology.queues![0]!;
}

const orders = exchange("orders", { type: "topic" });

Deno.test("queue() has kombu's defaults: durable, not exclusive, not auto-delete, no arguments, not bound", () => {
  assert.deepEqual(queue("orders"), {
    name: "orders",
    topology: {
      exchanges: [],
      queues: [{ name: "orders", durable: true, exclusive: false, autoDelete: false, arguments: {} }],
      bindings: [],
    },
  });
});

Deno.test("queue() forces autoDelete where it is exclusive, as kombu does", () => {
  const { exclusive, autoDelete } = declared({ exclusive: true, autoDelete: false });
  assert.deepEqual([exclusive, autoDelete], [true, true]);
});

const ARGUMENTS: readonly (readonly [QueueOptions, Record<string, unknown>])[] = [
  [{ maxLength: 5 }, { "x-max-length": 5 }],
  [{ messageTtl: 60_000 }, { "x-message-ttl": 60_000 }],
  [{ expires: 30_000 }, { "x-expires": 30_000 }],
  [{ maxPriority: 5 }, { "x-max-priority": 5 }],
  [{ deadLetterExchange: "lost" }, { "x-dead-letter-exchange": "lost" }],
  [{ deadLetterExchange: orders }, { "x-dead-letter-exchange": "orders" }],
  [
    { deadLetterExchange: "", deadLetterRoutingKey: "dead" },
    { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead" },
  ],
  [{ arguments: { "x-queue-type": "quorum" } }, { "x-queue-type": "quorum" }],
  [{ arguments: { "x-max-length": 1, "x-own": "kept" }, maxLength: 2 }, {
    "x-max-length": 2,
    "x-own": "kept",
  }],
];

for (const [options, expected] of ARGUMENTS) {
  Deno.test(`queue() writes ${JSON.stringify(options)} as kombu does`, () => {
    assert.deepEqual(declared(options).arguments, expected);
  });
}

for (
  const options of [
    { maxLength: -1 },
    { messageTtl: 1.5 },
    { expires: 0 },
    { maxPriority: 256 },
  ] satisfies readonly QueueOptions[]
) {
  Deno.test(`queue() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => queue("orders", options), RangeError);
  });
}

Deno.test("queue() declares its exchange and binds to it with the empty routing key", () => {
  const { exchanges, bindings } = queue("orders", { exchange: orders }).topology;
  assert.deepEqual(exchanges, [orders]);
  assert.deepEqual(bindings, [{ queue: "orders", exchange: "orders", routingKey: "" }]);
});

Deno.test("queue() binds by its routing key", () => {
  const { bindings } = queue("orders", { exchange: orders, routingKey: "order.#" }).topology;
  assert.deepEqual(bindings, [{ queue: "orders", exchange: "orders", routingKey: "order.#" }]);
});

Deno.test("queue() binds to an exchange that it only names without declaring it", () => {
  const { exchanges, bindings } = queue("orders", { exchange: "theirs", routingKey: "k" }).topology;
  assert.deepEqual(exchanges, []);
  assert.deepEqual(bindings, [{ queue: "orders", exchange: "theirs", routingKey: "k" }]);
});

Deno.test("queue() binds as often as it has bindings, to their exchanges or its own", () => {
  const other = exchange("other", { type: "headers" });
  const headers = { "x-match": "any", format: "pdf" };
  const { exchanges, bindings } = queue("orders", {
    exchange: orders,
    bindings: [{ routingKey: "a" }, { exchange: other, arguments: headers }, { routingKey: "b" }],
  }).topology;
  assert.deepEqual(exchanges, [orders, other]);
  assert.deepEqual(bindings, [
    { queue: "orders", exchange: "orders", routingKey: "a" },
    { queue: "orders", exchange: "other", routingKey: "", arguments: headers },
    { queue: "orders", exchange: "orders", routingKey: "b" },
  ]);
});

Deno.test("queue() declares the exchange of its dead letters", () => {
  assert.deepEqual(queue("orders", { deadLetterExchange: orders }).topology.exchanges, [orders]);
});

Deno.test("queue() binds to the broker's own exchanges without declaring them", () => {
  const { exchanges, bindings } = queue("orders", { exchange: exchange("amq.topic", { type: "topic" }) })
    .topology;
  assert.deepEqual(exchanges, []);
  assert.equal(bindings?.[0]?.exchange, "amq.topic");
});

for (
  const [what, options] of [
    ["a routing key without an exchange", { routingKey: "k" }],
    ["a binding without an exchange", { bindings: [{ routingKey: "k" }] }],
    ["both routingKey and bindings", { exchange: orders, routingKey: "k", bindings: [] }],
  ] satisfies readonly (readonly [string, QueueOptions])[]
) {
  Deno.test(`queue() refuses ${what}`, () => {
    assert.throws(() => queue("orders", options), TypeError);
  });
}

Deno.test("queue() without a name is exclusive, and neither durable nor shared", () => {
  const { topology } = queue({ exchange: orders, routingKey: "order.#" });
  assert.deepEqual(topology, {
    exchanges: [orders],
    queues: [{ name: "", durable: false, exclusive: true, autoDelete: true, arguments: {} }],
    bindings: [{ queue: "", exchange: "orders", routingKey: "order.#" }],
  });
});

Deno.test("queue() without a name tells queues apart that are declared alike", () => {
  const alike = { exchange: orders, routingKey: "alike" };
  const ordinals = [queue(alike), queue(alike), queue({ ...alike, messageTtl: 5 })].map(({ ordinal }) =>
    ordinal
  );
  assert.deepEqual(ordinals, [0, 1, 0]);
});

Deno.test("queue() refuses an empty name", () => {
  assert.throws(() => queue(""), TypeError);
});
