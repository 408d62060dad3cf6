import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { logStatus } from "../../../extensions/broker.ts";
import { createLog } from "../../../runtime/log/log.ts";
import type { Consumer, Message, Transport } from "../../../runtime/message/transport.ts";
import { enoki } from "../../cli/command.ts";
import { PrivateRabbitmq } from "../../fixtures/private_rabbitmq.ts";

const ignore = !await PrivateRabbitmq.isInstalled();

const LETTER: Message = { exchange: "", routingKey: "jobs", body: "", properties: {} };

/** A transport whose broker takes nothing from it, and what publishes at that broker meanwhile. */
interface Stage {
  readonly node: PrivateRabbitmq;
  readonly transport: Transport;
  readonly consumer: Consumer;
  readonly logged: readonly string[];
  readonly publishing: Promise<void>;
}

/** Registers a test whose broker is short of memory. */
function blockedTest(name: string, proof: (stage: Stage) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using node = await PrivateRabbitmq.open();
      const logged: string[] = [];
      const blocked = Promise.withResolvers<void>();
      const inform = logStatus(
        createLog({ emit: ({ level, message }) => logged.push(`${level}: ${message}`) }),
      );
      await using transport = amqp(node.uri, {
        onStatus(status) {
          inform(status);
          if (status.state === "blocked") blocked.resolve();
        },
      });
      await transport.connect();
      await transport.declare({
        queues: [{ name: "jobs" }],
        exchanges: [{ name: "shop.events", type: "topic" }],
      });
      const consumer = await transport.consume("jobs", () => Promise.resolve("ack"), { prefetch: 1 });
      await node.block();
      // A broker blocks a connection once that has published something, which it may still take.
      transport.publish(LETTER).catch(() => {});
      await blocked.promise;
      const publishing = transport.publish(LETTER);
      publishing.catch(() => {});
      await proof({ node, transport, consumer, logged, publishing });
    },
  });
}

blockedTest("A broker that takes no messages is reported, and so is that it does again", async (stage) => {
  const { node, logged, publishing } = stage;
  assert.equal(logged.length, 1);
  assert.match(
    logged[0]!,
    /^warning: Broker amqp:.* takes no messages: low on memory\. Published messages wait$/,
  );
  await node.unblock();
  await publishing;
  assert.match(logged[1]!, /^info: Broker amqp:.* takes messages again$/);
});

blockedTest("Transport.close() does not wait for a broker that takes no messages", async (stage) => {
  const refused = assert.rejects(stage.publishing, /the transport was closed before broker/);
  const start = performance.now();
  await stage.transport.close();
  assert.ok(performance.now() - start < 1_000);
  await refused;
});

blockedTest("Consumer.stop() does not wait for a broker that takes no messages", async ({ consumer }) => {
  await consumer.stop();
});

blockedTest("enoki emit and enoki doctor say that a broker takes no messages", async ({ node }) => {
  const argv = ["emit", "--broker", node.uri, "--timeout", "2", "shop", "placed"];
  const { status, err } = await enoki(argv);
  assert.equal(status, 3);
  assert.match(err, /takes no messages: low on memory/);
  assert.match(
    err,
    /^Cannot dispatch event "placed" of "shop": the broker did not confirm it within 2 s\. /m,
  );
  const { status: found, out } = await enoki(["doctor", "--broker", node.uri]);
  assert.equal(found, 1);
  assert.match(out, /problem {2}amqp:\S+ takes no messages: low on memory\. Free memory or disk/);
});
