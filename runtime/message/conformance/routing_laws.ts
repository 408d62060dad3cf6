import assert from "node:assert/strict";
import type { FieldTable, Transport } from "../transport.ts";
import { UnroutableError } from "../errors.ts";
import type { Law, Stage } from "./stage.ts";

export function routingLaws(law: Law): void {
  const headers = law.needing("headers exchanges");
  const topics = law.needing("topic patterns");

  law("A direct exchange routes by the whole routing key", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "direct");
    await stage.boundQueue(transport, exchange, "a.b");
    assert.deepEqual(await taken(transport, exchange, ["a.b", "a", "a.b.c", "A.B", ""]), ["a.b"]);
  });

  law("A direct exchange gives a copy to every queue of the key", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "direct");
    const queues = [
      await stage.boundQueue(transport, exchange, "key"),
      await stage.boundQueue(transport, exchange, "key"),
    ];
    assert.deepEqual(await received(stage, transport, exchange, queues), ["copy", "copy"]);
  });

  law("A fanout exchange gives a copy to every queue, whatever the key", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "fanout");
    const queues = [
      await stage.boundQueue(transport, exchange, "one"),
      await stage.boundQueue(transport, exchange, ""),
    ];
    assert.deepEqual(await received(stage, transport, exchange, queues), ["copy", "copy"]);
  });

  law("A queue with several bindings that match gets one copy", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "topic");
    const queue = await stage.boundQueue(transport, exchange, "a.*");
    await transport.declare({
      bindings: [{ queue, exchange, routingKey: "*.b" }, { queue, exchange, routingKey: "#" }],
    });
    const inbox = await stage.inbox(transport, queue);
    await transport.publish({ exchange, routingKey: "a.b", body: "once", properties: {} });
    await stage.send(transport, queue, "next");
    assert.deepEqual(await inbox.texts(2), ["once", "next"]);
  });

  const keys = ["", "a", "b", "a.b", "a.c", "a.b.c", "a.x.y.c", "c", "a.", ".b", "x.b.c"];
  const patterns: readonly (readonly [string, readonly string[]])[] = [
    ["a", ["a"]],
    ["a.b", ["a.b"]],
    ["*", ["a", "b", "c"]],
    ["a.*", ["a.b", "a.c", "a."]],
    ["*.b", ["a.b", ".b"]],
    ["*.*", ["a.b", "a.c", "a.", ".b"]],
    ["#", keys],
    ["a.#", ["a", "a.b", "a.c", "a.b.c", "a.x.y.c", "a."]],
    ["#.c", ["a.c", "a.b.c", "a.x.y.c", "c", "x.b.c"]],
    ["a.#.c", ["a.c", "a.b.c", "a.x.y.c"]],
    ["*.b.#", ["a.b", "a.b.c", ".b", "x.b.c"]],
    ["#.b.#", ["b", "a.b", "a.b.c", ".b", "x.b.c"]],
    ["*.#.*", ["a.b", "a.c", "a.b.c", "a.x.y.c", "a.", ".b", "x.b.c"]],
    ["#.#", keys],
  ];
  for (const [pattern, expected] of patterns) {
    topics(`A topic exchange routes by the pattern "${pattern}"`, async (stage) => {
      const transport = await stage.transport();
      const exchange = await stage.exchange(transport, "topic");
      await stage.boundQueue(transport, exchange, pattern);
      const matched = await taken(transport, exchange, keys.filter((key) => key !== ""));
      assert.deepEqual(matched, expected.filter((key) => key !== ""));
    });
  }

  topics("A topic exchange follows bindings that come and go", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "topic");
    await stage.boundQueue(transport, exchange, "other");
    assert.deepEqual(await taken(transport, exchange, ["a.b"]), []);
    const queue = await stage.boundQueue(transport, exchange, "a.*");
    assert.deepEqual(await taken(transport, exchange, ["a.b"]), ["a.b"]);
    await transport.deleteQueue(queue);
    assert.deepEqual(await taken(transport, exchange, ["a.b"]), []);
  });

  headers("A headers exchange with x-match all wants every header", async (stage) => {
    const bound = { "x-match": "all", colour: "red", size: 3 };
    assert.deepEqual(await matches(stage, bound), ["both", "more"]);
  });

  headers("A headers exchange without x-match wants every header", async (stage) => {
    assert.deepEqual(await matches(stage, { colour: "red", size: 3 }), ["both", "more"]);
  });

  headers("A headers exchange with x-match any wants one header", async (stage) => {
    const bound = { "x-match": "any", colour: "red", size: 3 };
    assert.deepEqual(await matches(stage, bound), ["both", "more", "one"]);
  });

  headers("A headers exchange takes any value for an argument that is null", async (stage) => {
    assert.deepEqual(await matches(stage, { weight: null }), ["more"]);
  });

  law("The default exchange routes by queue name", async (stage) => {
    const transport = await stage.transport();
    const [one, other] = [await stage.queue(transport), await stage.queue(transport)];
    const inbox = await stage.inbox(transport, other);
    await stage.send(transport, one, "to one");
    await stage.send(transport, other, "to other");
    const held = await inbox.next();
    assert.equal(held.text, "to other");
    assert.equal(held.delivery.exchange, "");
    assert.equal(held.delivery.routingKey, other);
    held.settle("ack");
  });
}

/** Which of `keys` some queue of the exchange takes. */
async function taken(transport: Transport, exchange: string, keys: readonly string[]): Promise<string[]> {
  const matched: string[] = [];
  for (const routingKey of keys) {
    if (await routable(transport, exchange, routingKey, {})) matched.push(routingKey);
  }
  return matched;
}

/** Which of a fixed set of messages a headers exchange routes to a queue bound with `bound`. */
async function matches(stage: Stage, bound: FieldTable): Promise<string[]> {
  const transport = await stage.transport();
  const exchange = await stage.exchange(transport, "headers");
  await stage.boundQueue(transport, exchange, "", bound);
  const candidates: Record<string, FieldTable> = {
    both: { colour: "red", size: 3 },
    more: { colour: "red", size: 3, weight: 1.5 },
    one: { colour: "red", size: 4 },
    none: { colour: "blue", size: 4 },
    empty: {},
  };
  const matched: string[] = [];
  for (const [name, headers] of Object.entries(candidates)) {
    if (await routable(transport, exchange, "any", headers)) matched.push(name);
  }
  return matched;
}

async function routable(
  transport: Transport,
  exchange: string,
  routingKey: string,
  headers: FieldTable,
): Promise<boolean> {
  try {
    await transport.publish({ exchange, routingKey, body: "", properties: { headers }, mandatory: true });
    return true;
  } catch (error) {
    if (error instanceof UnroutableError) return false;
    throw error;
  }
}

/** Publishes one message with routing key `key` and takes the first delivery of each queue. */
async function received(
  stage: Stage,
  transport: Transport,
  exchange: string,
  queues: readonly string[],
): Promise<string[]> {
  const inboxes = await Promise.all(queues.map((queue) => stage.inbox(transport, queue)));
  await transport.publish({ exchange, routingKey: "key", body: "copy", properties: {} });
  return await Promise.all(inboxes.map((inbox) => inbox.text()));
}
