import assert from "node:assert/strict";
import type { FieldTable, FieldValue } from "../transport.ts";
import { type Law, letter } from "./stage.ts";

export function expiringLaws(law: Law): void {
  const autoDelete = law.needing("auto-delete queues");
  const exclusive = law.needing("exclusive queues");
  const expires = law.needing("queue expiry");
  const timed = law.needing("message expiry", "dead-letter exchanges");
  const expiring = law.needing("message expiry");
  const limited = law.needing("length limits");
  const limitedAndDead = law.needing("length limits", "dead-letter exchanges");
  const dead = law.needing("dead-letter exchanges", "message expiry");
  const prioritized = law.needing("priorities");

  autoDelete("A queue with autoDelete goes with its last consumer", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport, { autoDelete: true });
    const [one, other] = [await stage.inbox(transport, queue), await stage.inbox(transport, queue)];
    await one.consumer?.stop();
    await transport.publish({ ...letter(queue, "still there"), mandatory: true });
    assert.equal(await other.text(), "still there");
    await other.consumer?.stop();
    await stage.gone(transport, queue);
  });

  autoDelete("A queue with autoDelete stays until it had a consumer", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { autoDelete: true });
    await one.close();
    await other.publish({ ...letter(queue, ""), mandatory: true });
  });

  autoDelete("A queue with autoDelete goes with the transport of its last consumer", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { autoDelete: true });
    await stage.inbox(one, queue);
    await one.close();
    await stage.gone(other, queue);
  });

  exclusive("An exclusive queue goes with its transport", async (stage) => {
    const [one, other] = [await stage.transport(), await stage.transport()];
    const queue = await stage.queue(one, { durable: false, exclusive: true });
    await other.publish({ ...letter(queue, ""), mandatory: true });
    await one.close();
    await stage.gone(other, queue);
  });

  law("An exchange with autoDelete goes with its last binding", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "direct");
    const queue = await stage.boundQueue(transport, exchange, "key");
    await transport.deleteQueue(queue);
    await transport.declare({ exchanges: [{ name: exchange, type: "fanout", autoDelete: true }] });
  });

  expires("A queue with x-expires goes when nobody uses it", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport, { arguments: { "x-expires": 100 } });
    await stage.gone(transport, queue);
  });

  expires("A queue with x-expires stays while it has a consumer", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport, { arguments: { "x-expires": 50 } });
    const inbox = await stage.inbox(transport, queue);
    const witness = await stage.queue(transport, { arguments: { "x-expires": 150 } });
    await stage.gone(transport, witness);
    await transport.publish({ ...letter(queue, "in use"), mandatory: true });
    assert.equal(await inbox.text(), "in use");
    await inbox.consumer?.stop();
    await stage.gone(transport, queue);
  });

  timed("A queue with x-message-ttl dead-letters what waited too long", async (stage) => {
    const transport = await stage.transport();
    const graveyard = await stage.queue(transport);
    const queue = await stage.queue(transport, {
      arguments: { ...deadLetterTo(graveyard), "x-message-ttl": 30 },
    });
    await stage.send(transport, queue, "1", "2");
    assert.deepEqual(await (await stage.inbox(transport, graveyard)).texts(2), ["1", "2"]);
  });

  timed("A message with expiration is dead-lettered when it waited too long", async (stage) => {
    const transport = await stage.transport();
    const graveyard = await stage.queue(transport);
    const queue = await stage.queue(transport, { arguments: deadLetterTo(graveyard) });
    await transport.publish({ ...letter(queue, "stale"), properties: { expiration: "30" } });
    const held = await (await stage.inbox(transport, graveyard)).next();
    held.settle("ack");
    assert.equal(held.text, "stale");
    assert.equal(held.delivery.properties.expiration, undefined);
    assert.equal(firstDeath(held.delivery.properties.headers)["reason"], "expired");
    assert.equal(firstDeath(held.delivery.properties.headers)["original-expiration"], "30");
  });

  expiring("A message with expiration 0 reaches a consumer that waits for it", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const inbox = await stage.inbox(transport, queue);
    await transport.publish({ ...letter(queue, "now or never"), properties: { expiration: "0" } });
    assert.equal(await inbox.text(), "now or never");
  });

  expiring("A message that expired is not delivered", async (stage) => {
    const transport = await stage.transport();
    const graveyard = await stage.queue(transport);
    const queue = await stage.queue(transport, { arguments: deadLetterTo(graveyard) });
    await transport.publish({ ...letter(queue, "stale"), properties: { expiration: "20" } });
    await stage.send(transport, queue, "fresh");
    assert.equal(await (await stage.inbox(transport, graveyard)).text(), "stale");
    assert.equal(await (await stage.inbox(transport, queue)).text(), "fresh");
  });

  limited("A queue with x-max-length drops its oldest messages", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport, { arguments: { "x-max-length": 2 } });
    await stage.send(transport, queue, "1", "2", "3", "4");
    assert.deepEqual(await (await stage.inbox(transport, queue)).texts(2), ["3", "4"]);
  });

  limitedAndDead("A queue with x-max-length dead-letters what it drops", async (stage) => {
    const transport = await stage.transport();
    const graveyard = await stage.queue(transport);
    const queue = await stage.queue(transport, {
      arguments: { ...deadLetterTo(graveyard), "x-max-length": 1 },
    });
    await stage.send(transport, queue, "1", "2");
    const held = await (await stage.inbox(transport, graveyard)).next();
    held.settle("ack");
    assert.equal(held.text, "1");
    assert.equal(firstDeath(held.delivery.properties.headers)["reason"], "maxlen");
  });

  dead(
    "Verdict reject dead-letters through the queue's exchange with the message's own key",
    async (stage) => {
      const transport = await stage.transport();
      const exchange = await stage.exchange(transport, "direct");
      const queue = await stage.queue(transport, { arguments: { "x-dead-letter-exchange": exchange } });
      const graveyard = await stage.boundQueue(transport, exchange, queue);
      const inbox = await stage.inbox(transport, queue);
      const message = { ...letter(queue, "bad"), properties: { correlationId: "kept", headers: { own: 1 } } };
      await transport.publish(message);
      (await inbox.next()).settle("reject");
      const held = await (await stage.inbox(transport, graveyard)).next();
      held.settle("ack");
      assert.deepEqual(
        [held.text, held.delivery.exchange, held.delivery.routingKey, held.delivery.redelivered],
        ["bad", exchange, queue, false],
      );
      assert.equal(held.delivery.properties.correlationId, "kept");
      assert.equal(held.delivery.properties.headers?.["own"], 1);
    },
  );

  dead("A dead letter says in x-death where, why and how often it died", async (stage) => {
    const transport = await stage.transport();
    const graveyard = await stage.queue(transport);
    const queue = await stage.queue(transport, { arguments: deadLetterTo(graveyard) });
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "bad");
    (await inbox.next()).settle("reject");
    const grave = await stage.inbox(transport, graveyard);
    const once = await grave.next();
    once.settle("ack");
    const { headers } = once.delivery.properties;
    const death = firstDeath(headers);
    assert.deepEqual(
      [death["count"], death["reason"], death["queue"], death["exchange"], death["routing-keys"]],
      [1, "rejected", queue, "", [queue]],
    );
    assert.deepEqual(
      [
        headers?.["x-first-death-reason"],
        headers?.["x-first-death-queue"],
        headers?.["x-first-death-exchange"],
      ],
      ["rejected", queue, ""],
    );
  });

  dead("A dead letter that dies again in the same queue counts on", async (stage) => {
    const transport = await stage.transport();
    const retry = stage.queueName();
    const queue = stage.queueName();
    await transport.declare({
      queues: [
        { name: queue, arguments: deadLetterTo(retry) },
        { name: retry, arguments: { "x-message-ttl": 10, ...deadLetterTo(queue) } },
      ],
    });
    const inbox = await stage.inbox(transport, queue);
    await stage.send(transport, queue, "retried");
    (await inbox.next()).settle("reject");
    (await inbox.next()).settle("reject");
    const held = await inbox.next();
    held.settle("ack");
    const deaths = held.delivery.properties.headers?.["x-death"] as readonly FieldTable[];
    assert.deepEqual(
      deaths.map((
        death,
      ): FieldValue[] => [death["queue"] ?? null, death["reason"] ?? null, death["count"] ?? null]),
      [[retry, "expired", 2], [queue, "rejected", 2]],
    );
  });

  dead("A dead letter that comes back to its queue without a rejection is dropped", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "fanout");
    const queue = await stage.queue(transport, {
      arguments: { "x-message-ttl": 20, "x-dead-letter-exchange": exchange },
    });
    await transport.declare({ bindings: [{ queue, exchange, routingKey: "" }] });
    const inbox = await stage.inbox(transport, await stage.boundQueue(transport, exchange, ""));
    await stage.send(transport, queue, "1");
    assert.equal(await inbox.text(), "1");
    // Were the first one back in the queue, it would come out of it again before the second one
    await stage.send(transport, queue, "2");
    assert.equal(await inbox.text(), "2");
  });

  prioritized("A queue with x-max-priority hands out higher priorities first", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport, { arguments: { "x-max-priority": 5 } });
    for (const [text, priority] of [["low", 1], ["none", undefined], ["high", 5], ["over", 9]] as const) {
      await transport.publish({
        ...letter(queue, text),
        properties: priority === undefined ? {} : { priority },
      });
    }
    assert.deepEqual(await (await stage.inbox(transport, queue, 1)).texts(4), [
      "high",
      "over",
      "low",
      "none",
    ]);
  });
}

function deadLetterTo(queue: string): FieldTable {
  return { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue };
}

function firstDeath(headers: FieldTable | undefined): FieldTable {
  const deaths = headers?.["x-death"];
  assert.ok(Array.isArray(deaths), "the message has no x-death header");
  return deaths[0];
}
