import assert from "node:assert/strict";
import type { Delivery, MessageProperties } from "../transport.ts";
import type { Law, Stage } from "./stage.ts";

export function contentLaws(law: Law): void {
  const large = law.needing("large bodies");

  law("Delivery.properties are those of the message", async (stage) => {
    const properties: MessageProperties = {
      contentType: "application/json",
      contentEncoding: "utf-8",
      headers: { key: "value" },
      deliveryMode: 2,
      priority: 3,
      correlationId: "c0ffee",
      replyTo: "somewhere",
      expiration: "60000",
      messageId: "m-1",
      timestamp: 1_700_000_000,
      type: "greeting",
      appId: "conformance",
    };
    const delivery = await delivered(stage, "{}", properties);
    assert.deepEqual({ ...delivery.properties }, properties);
  });

  law("Delivery.properties lack what the message lacks", async (stage) => {
    const { properties } = await delivered(stage, "", { correlationId: "only" });
    const present = Object.entries(properties).filter(([key, value]) =>
      key !== "headers" && value !== undefined
    );
    assert.deepEqual(Object.fromEntries(present), { correlationId: "only" });
  });

  const headers = {
    integer: 7,
    zero: 0,
    negative: -7,
    beyondInt32: 2 ** 31,
    large: 2 ** 40,
    largeNegative: -(2 ** 40),
    largest: Number.MAX_SAFE_INTEGER,
    float: 0.1,
    negativeFloat: -2.5e-9,
    hugeFloat: 1e300,
    yes: true,
    no: false,
    nothing: null,
    empty: "",
    unicode: "Grüße, 世界 🌍",
    list: [1, "two", null, true, 3.5, [4], { five: 5 }],
    emptyList: [],
    table: { nested: { deeper: [{ deepest: "here" }] }, "key with spaces": 1, ключ: "значение" },
    emptyTable: {},
  };
  for (const [name, value] of Object.entries(headers)) {
    law(`Delivery.properties.headers carry ${name} unchanged`, async (stage) => {
      const { properties } = await delivered(stage, "", { headers: { value } });
      assert.deepEqual(structuredClone(properties.headers?.["value"]), value);
    });
  }

  law("Delivery.body is UTF-8 where the message is text", async (stage) => {
    const { body } = await delivered(stage, "Grüße, 世界 🌍", {});
    assert.deepEqual([...body], [...new TextEncoder().encode("Grüße, 世界 🌍")]);
  });

  law("Delivery.body is the message's bytes, whatever they are", async (stage) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    assert.deepEqual([...(await delivered(stage, bytes, {})).body], [...bytes]);
  });

  law("Delivery.body is only the part of the buffer that the message shows", async (stage) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index).subarray(10, 20);
    assert.deepEqual([...(await delivered(stage, bytes, {})).body], [...bytes]);
  });

  law("Delivery.body may be empty", async (stage) => {
    assert.equal((await delivered(stage, "", {})).body.length, 0);
  });

  law("Delivery.body is a Uint8Array", async (stage) => {
    assert.ok((await delivered(stage, "text", {})).body instanceof Uint8Array);
  });

  large("Delivery.body may be larger than any buffer on the way", async (stage) => {
    const bytes = new Uint8Array(3 * 1024 * 1024 + 17);
    for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 31) ^ (at >> 8);
    const { body } = await delivered(stage, bytes, {});
    assert.ok(body.length === bytes.length && body.every((byte, at) => byte === bytes[at]));
  });

  law("Delivery.body does not change with the publisher's buffer", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const body = new TextEncoder().encode("before");
    await transport.publish({ exchange: "", routingKey: queue, body, properties: {} });
    body.fill(0);
    assert.equal(await (await stage.inbox(transport, queue)).text(), "before");
  });

  law("Delivery.properties.headers do not change with the publisher's object", async (stage) => {
    const transport = await stage.transport();
    const queue = await stage.queue(transport);
    const list = [1];
    const message = { exchange: "", routingKey: queue, body: "", properties: { headers: { list } } };
    await transport.publish(message);
    list.push(2);
    const held = await (await stage.inbox(transport, queue)).next();
    assert.deepEqual(structuredClone(held.delivery.properties.headers), { list: [1] });
    held.settle("ack");
  });

  law("Delivery.exchange and routingKey are those of the message", async (stage) => {
    const transport = await stage.transport();
    const exchange = await stage.exchange(transport, "topic");
    const queue = await stage.boundQueue(transport, exchange, "#");
    const inbox = await stage.inbox(transport, queue);
    await transport.publish({ exchange, routingKey: "a.schlüssel", body: "", properties: {} });
    const held = await inbox.next();
    assert.equal(held.delivery.exchange, exchange);
    assert.equal(held.delivery.routingKey, "a.schlüssel");
    held.settle("ack");
  });
}

/** Sends one message through a queue and returns what arrived. */
async function delivered(
  stage: Stage,
  body: string | Uint8Array,
  properties: MessageProperties,
): Promise<Delivery> {
  const transport = await stage.transport();
  const queue = await stage.queue(transport);
  const inbox = await stage.inbox(transport, queue);
  await transport.publish({ exchange: "", routingKey: queue, body, properties });
  const held = await inbox.next();
  held.settle("ack");
  return held.delivery;
}
