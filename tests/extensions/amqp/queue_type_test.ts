import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { withDefaultType } from "../../../extensions/amqp/queue_type.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { electionTopology } from "../../../extensions/timer/election.ts";
import type { FieldTable, QueueDeclaration } from "../../../runtime/message/transport.ts";
import { brokerTest } from "../../fixtures/broker.ts";

const QUORUM = { "x-queue-type": "quorum" };

Deno.test("withDefaultType() adds nothing where the type is classic", () => {
  const queue = { name: "q", arguments: { "x-expires": 1 } };
  assert.equal(withDefaultType(queue, "classic"), queue);
});

Deno.test("withDefaultType() makes a durable queue a quorum queue", () => {
  assert.deepEqual(withDefaultType({ name: "q" }, "quorum"), { name: "q", arguments: QUORUM });
  const delay = { "x-message-ttl": 1, "x-expires": 2, "x-dead-letter-exchange": "" };
  assert.deepEqual(withDefaultType({ name: "q", arguments: delay }, "quorum").arguments, {
    ...delay,
    ...QUORUM,
  });
});

for (
  const [what, queue] of [
    ["transient", { durable: false }],
    ["exclusive", { exclusive: true }],
    ["deleted with its consumers", { autoDelete: true }],
    ["not to be replicated", { replicated: false }],
    ["of another type", { arguments: { "x-queue-type": "stream" } }],
    ["one with priorities", { arguments: { "x-max-priority": 2 } }],
    ["a reply queue", rpcTopology("x").caller("c", "id").queues![0]!],
    ["that of an election", electionTopology("q").queues![0]!],
  ] satisfies readonly (readonly [string, Omit<QueueDeclaration, "name">])[]
) {
  Deno.test(`withDefaultType() leaves a queue as it is that is ${what}`, () => {
    const declaration = { name: "q", ...queue };
    assert.equal(withDefaultType(declaration, "quorum"), declaration);
  });
}

for (
  const [there, queueType, wanted, message] of [
    [
      undefined,
      "quorum",
      undefined,
      "as a quorum queue: it exists as a classic queue. Delete it when it is empty, " +
      "or keep its type with --define queue_type=classic",
    ],
    [
      "quorum",
      "classic",
      undefined,
      "as a classic queue: it exists as a quorum queue. Delete it when it is empty, " +
      "or keep its type with --define queue_type=quorum",
    ],
    [
      "quorum",
      "classic",
      "stream",
      "as a stream queue: it exists as a quorum queue. Delete it when it is empty, " +
      'or declare it with type "quorum"',
    ],
    [
      "stream",
      "quorum",
      undefined,
      "as a quorum queue: it exists as a stream queue. Delete it when it is empty, " +
      'or declare it with type "stream"',
    ],
  ] as const
) {
  brokerTest(
    `Transport.declare() says that a queue exists as ${there ?? "a queue without a type"}, not as ${
      wanted ?? `the default, ${queueType}`
    }`,
    async (uri) => {
      const name = `enoki-test-${crypto.randomUUID()}`;
      const typed = (type: string | undefined): { readonly arguments?: FieldTable } =>
        type === undefined ? {} : { arguments: { "x-queue-type": type } };
      await using one = amqp(uri);
      await using other = amqp(uri, { queueType });
      await Promise.all([one.connect(), other.connect()]);
      await one.declare({ queues: [{ name, ...typed(there) }] });
      try {
        await assert.rejects(other.declare({ queues: [{ name, ...typed(wanted) }] }), {
          name: "BrokerError",
          message: `Cannot declare queue "${name}" ${message}`,
        });
      } finally {
        await one.deleteQueue(name);
      }
    },
  );
}

brokerTest("A queue without a type and a classic queue are the same to RabbitMQ", async (uri) => {
  const name = `enoki-test-${crypto.randomUUID()}`;
  await using one = amqp(uri);
  await using other = amqp(uri);
  await Promise.all([one.connect(), other.connect()]);
  try {
    await one.declare({ queues: [{ name }] });
    await other.declare({ queues: [{ name, arguments: { "x-queue-type": "classic" } }] });
  } finally {
    await one.deleteQueue(name);
  }
});

brokerTest(
  "Transport.declare() says what to do about a queue whose type cannot have an argument",
  async (uri) => {
    await using transport = amqp(uri);
    await transport.connect();
    const table = { "x-queue-type": "quorum", "x-max-priority": 2 };
    await assert.rejects(
      transport.declare({ queues: [{ name: `enoki-test-${crypto.randomUUID()}`, arguments: table }] }),
      /invalid arg 'x-max-priority' .* Leave it out, or give the queue a type that has it, such as "classic"$/,
    );
  },
);

brokerTest("Transport.declare() says what to do about a name that only the broker may give", async (uri) => {
  await using transport = amqp(uri);
  await transport.connect();
  await assert.rejects(
    transport.declare({ queues: [{ name: "amq.mine" }] }),
    /^BrokerError: Cannot declare queue "amq\.mine": .* Choose another name, or none at all$/,
  );
});
