import assert from "node:assert/strict";
import { local } from "../../../extensions/local/mod.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { enoki, withBroker } from "../../cli/command.ts";

/** Runs a test with a local broker that has the exchange `shop.events`, and an inbox of what comes to it. */
function withExchange(test: (broker: string, inbox: Inbox) => Promise<void>): Promise<void> {
  return withBroker(async (broker) => {
    await using transport = local({ address: broker });
    await transport.connect();
    await transport.declare({
      exchanges: [{ name: "shop.events", type: "topic" }],
      queues: [{ name: "captured" }],
      bindings: [{ queue: "captured", exchange: "shop.events", routingKey: "placed" }],
    });
    const inbox = new Inbox();
    inbox.consumer = await transport.consume("captured", inbox.receiver, { prefetch: 10 });
    await test(broker, inbox);
  });
}

const SILENT = { status: 0, out: "", err: "" };

Deno.test("enoki emit dispatches JSON, or else text, and says nothing", () =>
  withExchange(async (broker, inbox) => {
    for (const payload of ['{"id": 7}', "plain text"]) {
      assert.deepEqual(await enoki(["emit", "--broker", broker, "shop", "placed", payload]), SILENT);
    }
    assert.deepEqual(await enoki(["emit", "--broker", broker, "shop", "placed"]), SILENT);
    assert.deepEqual(await inbox.texts(3), ['{"id":7}', '"plain text"', "null"]);
  }));

Deno.test("enoki emit sends its headers as they are", () =>
  withExchange(async (broker, inbox) => {
    const flags = ["--header", "nameko.language=en", "--header", "n=7"];
    await enoki(["emit", "--broker", broker, ...flags, "shop", "placed", "1"]);
    const { delivery, settle } = await inbox.next();
    settle("ack");
    assert.deepEqual(delivery.properties.headers, { "nameko.language": "en", n: 7 });
  }));

Deno.test("enoki emit ends with 3 where the source has no exchange", () =>
  withExchange(async (broker) => {
    const { status, out, err } = await enoki(["emit", "--broker", broker, "absent", "placed", "1"]);
    assert.deepEqual([status, out], [3, ""]);
    assert.match(err, /^Cannot publish to exchange "absent\.events": .*\n$/);
  }));

Deno.test("enoki emit --mandatory ends with 3 where no queue takes the event", () =>
  withExchange(async (broker) => {
    const { status, err } = await enoki(["emit", "--broker", broker, "--mandatory", "shop", "other", "1"]);
    assert.equal(status, 3);
    assert.match(err, /^Cannot publish to exchange "shop\.events": no queue takes routing key "other"\n$/);
  }));

Deno.test("enoki emit says that no queue takes the event, and ends with 0", () =>
  withExchange(async (broker) => {
    assert.deepEqual(await enoki(["emit", "--broker", broker, "shop", "plcaed", "1"]), {
      status: 0,
      out: "",
      err: 'No queue is bound to shop.events with "plcaed": nobody will see the event\n',
    });
  }));

Deno.test("enoki emit without an event ends with 2", async () => {
  const { status, err } = await enoki(["emit", "shop"]);
  assert.equal(status, 2);
  assert.match(err, /[Mm]issing required argument 'event'/);
});
