import assert from "node:assert/strict";
import { type FrameHeader, FrameWriter, readFrames } from "../../../extensions/local/frame.ts";
import { local } from "../../../extensions/local/mod.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

Deno.test("Transport.close() of local() resolves when open deliveries are back at the host", async () => {
  const path = await Deno.makeTempDir({ prefix: "enoki-" });
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
  await using host = local({ address: `local://${path}/broker.sock` });
  await using client = local({ address: `local://${path}/broker.sock` });
  await host.connect();
  await client.connect();
  await host.declare({ queues: [{ name: "q" }] });
  const held = new Inbox();
  await client.consume("q", held.receiver, { prefetch: 1 });
  for (const body of ["1", "2"]) await host.publish({ exchange: "", routingKey: "q", body, properties: {} });
  await held.next();
  await client.close();
  const heir = new Inbox();
  await host.consume("q", heir.receiver, { prefetch: 1 });
  assert.deepEqual(await heir.texts(2), ["1", "2"]);
});

Deno.test("local() takes back what a client held that left without farewell", async () => {
  const path = await Deno.makeTempDir({ prefix: "enoki-" });
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
  await using host = local({ address: `local://${path}/broker.sock` });
  await host.connect();
  await host.declare({ queues: [{ name: "q" }] });
  await host.publish({ exchange: "", routingKey: "q", body: "held", properties: {} });
  const stream = await Deno.connect({ transport: "unix", path: `${path}/broker.sock` });
  new FrameWriter(stream).write(["consume", 1, 2, "q", { prefetch: 1 }]);
  const { promise: delivered, resolve } = Promise.withResolvers<FrameHeader>();
  const reading = readFrames(stream, (header) => header[0] === "delivery" && resolve(header)).catch(() => {});
  await delivered;
  stream.close();
  await reading;
  const heir = new Inbox();
  await host.consume("q", heir.receiver, { prefetch: 1 });
  const { text, delivery, settle } = await heir.next();
  settle("ack");
  assert.deepEqual([text, delivery.redelivered], ["held", true]);
});
