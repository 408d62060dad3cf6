/** A NATS server that others use, too. */
import assert from "node:assert/strict";
import { connect, headers } from "../../../examples/extensions/nats/client_library.ts";
import { encoded } from "../../../examples/extensions/nats/names.ts";
import { NatsTransport } from "../../../examples/extensions/nats/transport.ts";
import type { Delivery, Transport } from "../../../runtime/message/transport.ts";
import { natsTest } from "./nats_stage.ts";

/** Takes the first message of a queue. */
async function first(transport: Transport, queue: string): Promise<Delivery> {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  await transport.consume(queue, (delivery) => {
    resolve({ ...delivery, body: delivery.body.slice() });
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  return await promise;
}

natsTest("transports with different prefixes do not see each other", async (stage) => {
  const transport = await stage.transport();
  await using stranger = new NatsTransport(`${stage.broker}-other`);
  await stranger.connect();
  await transport.declare({ queues: [{ name: "work" }] });
  assert.equal(await stranger.countMessages("work"), undefined);
});

for (
  const [what, envelope] of [
    ["no header", undefined],
    ["a header that is no JSON", "{"],
    [
      "a header of other types",
      JSON.stringify({ exchange: 7, properties: { priority: "high", headers: [1] } }),
    ],
    [
      "headers that are nested too deep",
      `{"properties":{"headers":{"x":${"[".repeat(5_000)}${"]".repeat(5_000)}}}}`,
    ],
  ] as const
) {
  natsTest(`a message of another client with ${what} arrives without properties`, async (stage) => {
    const transport = await stage.transport();
    await transport.declare({ queues: [{ name: "work" }] });
    const connection = await connect({ servers: new URL(stage.broker).host, reconnect: false });
    const table = headers();
    if (envelope !== undefined) table.set("Enoki-Message", envelope);
    connection.publish(`${stage.prefix}.q.work`, "from afar", { headers: table });
    await connection.flush();
    await connection.close();
    const { exchange, routingKey, properties, body } = await first(transport, "work");
    assert.deepEqual(
      [exchange, routingKey, properties, new TextDecoder().decode(body)],
      ["", "work", {}, "from afar"],
    );
  });
}

natsTest("a queue of any name works", async (stage) => {
  const transport = await stage.transport();
  for (const name of ["a.b", "*", ">", "a b", "Grüße/世界", "=", "x".repeat(255), "."]) {
    await transport.declare({ queues: [{ name }] });
    await transport.publish({ exchange: "", routingKey: name, body: name, properties: {}, mandatory: true });
    assert.equal(new TextDecoder().decode((await first(transport, name)).body), name);
  }
});

Deno.test("nats: different names stay different", () => {
  const names = ["", "=", "a.b", "a=2Eb", "a b", "a_b", "x".repeat(200), "x".repeat(201), "é", "=C3=A9"];
  assert.equal(new Set(names.map(encoded)).size, names.length);
  for (const name of names) assert.match(encoded(name), /^[\w=-]{1,150}$/);
});

natsTest("a late verdict on a message of a deleted queue spares its successor", async (stage) => {
  const [transport, other] = [await stage.transport(), await stage.transport()];
  const declare = () => transport.declare({ queues: [{ name: "work", autoDelete: true }] });
  await declare();
  const held = Promise.withResolvers<void>();
  const late = Promise.withResolvers<"ack">();
  const consumer = await transport.consume("work", () => {
    held.resolve();
    return late.promise;
  }, { prefetch: 1 });
  const letter = { exchange: "", routingKey: "work", body: "", properties: {}, mandatory: true };
  await transport.publish(letter);
  await held.promise;
  await consumer.cancel();
  await declare();
  await transport.publish({ ...letter, body: "new" });
  late.resolve("ack");
  await consumer.stop();
  assert.equal(new TextDecoder().decode((await first(other, "work")).body), "new");
});

natsTest("a transport that was closed has left no consumer and no exclusive queue behind", async (stage) => {
  const [transport, other] = [await stage.transport(), await stage.transport()];
  await transport.declare({ queues: [{ name: "work" }, { name: "own", exclusive: true }] });
  await transport.consume("work", () => Promise.resolve("ack"), { prefetch: 1, exclusive: true });
  await transport.close();
  assert.equal(await other.countMessages("own"), undefined);
  await other.consume("work", () => Promise.resolve("ack"), { prefetch: 1, exclusive: true });
});
