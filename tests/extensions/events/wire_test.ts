import assert from "node:assert/strict";
import { dispatcher } from "../../../extensions/events/dispatcher.ts";
import { event } from "../../../extensions/events/event.ts";
import { eventMessage } from "../../../extensions/events/event_message.ts";
import { DEFAULT_PAYLOADS } from "../../../runtime/message/payload/payloads.ts";
import { rawSerializer } from "../../../runtime/message/serializer.ts";
import type { Messenger } from "../../../runtime/message/messenger.ts";
import { service } from "../../../runtime/service/service.ts";
import { testContext } from "../../../extensions/testing/mod.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { eventTest } from "./event_brokers.ts";
import type { EventStage } from "./event_stage.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

/** What comes to a queue of the test's own that is bound to all events of a source. */
async function capture(stage: EventStage, source: string): Promise<Inbox> {
  const transport = await stage.transport();
  const [exchange, queue] = [`${source}.events`, stage.name("capture")];
  await transport.declare({
    exchanges: [{ name: exchange, type: "topic", autoDelete: true }],
    queues: [{ name: queue }],
    bindings: [{ queue, exchange, routingKey: "#" }],
  });
  const inbox = new Inbox();
  inbox.consumer = await transport.consume(queue, inbox.receiver, { prefetch: 10 });
  return inbox;
}

const PROPERTIES = {
  contentType: "application/json",
  contentEncoding: "utf-8",
  deliveryMode: 2,
  priority: 0,
};

eventTest("a dispatched event is on the wire as Nameko's EventDispatcher writes it", async (stage) => {
  const source = stage.name("src");
  const inbox = await capture(stage, source);
  const calls: string[] = [];
  await stage.serve(service(source, {
    dependencies: { emit: dispatcher() },
    entrypoints: { start: event(source, "start") },
    handlers: {
      async start({ emit, call }) {
        calls.push(call.id);
        await emit("pool", { n: 1 });
        await emit("bcast");
        await emit("pool", "opts", {
          deliveryMode: 1,
          priority: 3,
          expiration: 60_000,
          headers: { h: "v", "nameko.language": "overwritten" },
        });
      },
    },
  }));
  const context = {
    "nameko.language": "en-gb",
    "nameko.user_id": 7,
    "nameko.auth_token": "tok",
    "nameko.user_agent": "UA/1",
  };
  await stage.dispatch(source, "start", null, {
    headers: { ...context, "nameko.call_id_stack": ["standalone_rpc_proxy.call.5bd1a380"] },
  });
  (await inbox.next()).settle("ack");
  const events = [await inbox.next(), await inbox.next(), await inbox.next()];
  for (const { settle } of events) settle("ack");
  const headers = { ...context, "nameko.call_id_stack": ["standalone_rpc_proxy.call.5bd1a380", calls[0]!] };
  const seen = events.map(({ delivery: { exchange, routingKey, properties }, text }) => ({
    exchange,
    routingKey,
    properties,
    text,
  }));
  const exchange = `${source}.events`;
  assert.deepEqual(seen, [
    { exchange, routingKey: "pool", properties: { ...PROPERTIES, headers }, text: '{"n":1}' },
    { exchange, routingKey: "bcast", properties: { ...PROPERTIES, headers }, text: "null" },
    {
      exchange,
      routingKey: "pool",
      properties: {
        ...PROPERTIES,
        deliveryMode: 1,
        priority: 3,
        expiration: "60000",
        headers: { h: "v", ...headers },
      },
      text: '"opts"',
    },
  ]);
});

eventTest("an event from outside any service has an empty table of headers", async (stage) => {
  const source = stage.name("src");
  const inbox = await capture(stage, source);
  await stage.dispatch(source, "pool", "from standalone");
  const { delivery, text, settle } = await inbox.next();
  settle("ack");
  assert.deepEqual(delivery.properties, { ...PROPERTIES, headers: {} });
  assert.equal(text, '"from standalone"');
});

eventTest("a serializer writes what the handler's own reads", async (stage) => {
  const source = stage.name("src");
  const inbox = await capture(stage, source);
  await stage.dispatch(source, "raw", new Uint8Array([1, 255]), { serializer: rawSerializer });
  const { delivery, settle } = await inbox.next();
  settle("ack");
  assert.deepEqual([...delivery.body], [1, 255]);
  const { contentType, contentEncoding } = delivery.properties;
  assert.deepEqual([contentType, contentEncoding], ["application/data", "binary"]);
});

Deno.test("eventMessage() refuses an expiration or a priority that makes no sense", () => {
  for (const expiration of [-1, NaN, Infinity]) {
    assert.throws(() => eventMessage("s", "e", 1, { expiration }), RangeError);
  }
  for (const priority of [-1, 256, 1.5]) {
    assert.throws(() => eventMessage("s", "e", 1, { priority }), RangeError);
  }
});

Deno.test("eventMessage() refuses a source or a type that is no text", () => {
  const message = /^Cannot dispatch an event: its (?:source|type) is undefined\. Give it a text$/;
  assert.throws(() => eventMessage("s", undefined as never, 1, {}), { name: "TypeError", message });
  assert.throws(() => eventMessage(undefined as never, "e", 1, {}), { name: "TypeError", message });
});

Deno.test("eventMessage() refuses a payload that JSON cannot carry", () => {
  assert.throws(() => eventMessage("s", "e", new Map(), {}), TypeError);
});

Deno.test("a dispatcher keeps the deadline of its caller to itself", async () => {
  const headers: unknown[] = [];
  const served = service("orders", {
    dependencies: {
      emit: dispatcher(),
    },
    entrypoints: { start: event("orders", "start") },
    handlers: { start() {} },
  });
  const { call } = testContext(served, {}, { headers: { language: "en" }, deadline: Date.now() + 60_000 });
  const messenger: Messenger = {
    request: () => Promise.reject(new Error("nobody")),
    publish: ({ properties }) => Promise.resolve(void headers.push(properties.headers)),
  };
  const { log } = call;
  const { signal } = new AbortController();
  const provider = served.dependencies.emit.bind({
    service: "orders",
    key: "emit",
    config: {},
    callTimeout: 30_000,
    payloads: DEFAULT_PAYLOADS,
    messenger,
    outgoing: [],
    ask: () => Promise.reject(new Error("nobody")),
    publish: (_call, message) => messenger.publish(message),
    divert: () => {},
    clock: SYSTEM_CLOCK,
    log,
    signal,
  });
  await (await provider.get(call))("placed", 1);
  assert.deepEqual(headers, [{ "nameko.language": "en", "nameko.call_id_stack": [call.id] }]);
});
