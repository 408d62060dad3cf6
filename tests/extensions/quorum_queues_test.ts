/** What runs under `queue_type: quorum` on RabbitMQ. */
import assert from "node:assert/strict";
import { amqp } from "../../extensions/amqp/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import { electionTopology } from "../../extensions/timer/election.ts";
import { deadLetterQueueOf } from "../../runtime/hosting/message_fate.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { QueueDeclaration } from "../../runtime/message/transport.ts";
import { Inbox } from "../../runtime/message/conformance/inbox.ts";
import { brokerTest } from "../fixtures/broker.ts";

configureLogging({ write: () => {} });

const MODULE = new URL("../fixtures/services/replicated.ts", import.meta.url);
const NAME = "enoki_test_replicated";
const HANDLER = `evt-${NAME}-happened--${NAME}.handle`;
const REPORTS = "enoki_test_replicated_reports";
const QUEUES = [
  `rpc-${NAME}`,
  HANDLER,
  deadLetterQueueOf(HANDLER),
  "enoki_test_replicated_jobs",
  "enoki_test_replicated_ranked",
  REPORTS,
  `enoki.timer.${NAME}.tick`,
];

/** The queues that are there afterwards, as they must have been declared. */
const DECLARED: readonly QueueDeclaration[] = [
  ...[`rpc-${NAME}`, HANDLER, deadLetterQueueOf(HANDLER), "enoki_test_replicated_jobs"].map((name) => ({
    name,
    arguments: { "x-queue-type": "quorum" },
  })),
  {
    name: `enoki.delay.1.${HANDLER}`,
    arguments: {
      "x-message-ttl": 1,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": HANDLER,
      "x-expires": 60_001,
      "x-queue-type": "quorum",
    },
  },
  { name: "enoki_test_replicated_ranked", arguments: { "x-max-priority": 2, "x-queue-type": "classic" } },
  ...electionTopology(`enoki.timer.${NAME}.tick`).queues!,
];

brokerTest(
  "Under queue_type quorum, RPC, events, retries, dead letters and timers work on quorum queues",
  async (uri) => {
    await using transport = amqp(uri, { queueType: "quorum" });
    await transport.connect();
    for (const queue of QUEUES) await transport.deleteQueue(queue);
    await transport.declare({ queues: [{ name: REPORTS }] });
    const reports = new Inbox();
    await transport.consume(REPORTS, reports.receiver, { prefetch: 10 });
    try {
      const config = { queue_type: "quorum" };
      const options = { broker: uri, config, threads: { permissions: "all", maxWorkers: 1 } } as const;
      await using _running = await run([MODULE], options);
      await using cluster = await connect({ broker: uri, config });
      const { dispatch } = cluster.client(NAME);
      for (const text of ["plain", "retried", "dead"]) assert.equal(await dispatch!(text), text);
      const missing = new Set(["plain", "retried", "tick"]);
      while (missing.size > 0) missing.delete(JSON.parse(await reports.text()));
      const dead = deadLetterQueueOf(HANDLER);
      await transport.declare({ queues: [{ name: dead }] });
      const buried = new Inbox();
      await transport.consume(dead, buried.receiver, { prefetch: 1 });
      assert.equal(await buried.text(), '"dead"');

      await using other = amqp(uri);
      await other.connect();
      await other.declare({ queues: DECLARED });
    } finally {
      for (const queue of QUEUES) await transport.deleteQueue(queue);
    }
  },
);
