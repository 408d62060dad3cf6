import { z } from "zod";
import assert from "node:assert/strict";
import { asyncApiDocument } from "../../../extensions/asyncapi/document.ts";
import {
  consume,
  dispatcher,
  event,
  exchange,
  http,
  publisher,
  queue,
  requester,
  rpc,
  service,
  timer,
} from "../../../mod.ts";
import { describeInDetail } from "../../../runtime/service/manifest.ts";

const ORDER = z.object({ sku: z.string(), size: z.tuple([z.number(), z.number()]) }).meta({ id: "Order" });

/** A list of lists: its schema refers to itself. */
interface Tree {
  readonly within: readonly Tree[];
}
const TREE: z.ZodType<Tree> = z.lazy(() => z.object({ within: z.array(TREE) }));

const LOGS = exchange("logs", { type: "topic", durable: false });
const BUSY = queue("busy", { exchange: LOGS, routingKey: "*.error", autoDelete: true });

const SHOP = service("shop", {
  dependencies: {
    emit: dispatcher(),
    tell: dispatcher({ events: { placed: z.int().meta({ id: "OrderId" }) } }),
    log: publisher({ exchange: LOGS }),
    enqueue: publisher({ routingKey: "jobs" }),
    ask: requester({ routingKey: "asked" }),
  },
  entrypoints: {
    place: [rpc({ input: ORDER, output: TREE, description: "Places an order.", expected: ["NoStock"] })],
    all: [rpc(), event("other", "a.*")],
    paid: event("bank", "paid"),
    told: event("bank", "told", { delivery: "broadcast" }),
    once: event("bank", "once", { delivery: "singleton", reliable: false }),
    work: consume(queue("jobs"), { noAck: true }),
    answer: consume(queue("asked"), { reply: true }),
    failed: consume(BUSY),
    tick: timer({ interval: 60 }),
    page: http("GET", "/page"),
  },
  handlers: {
    place: () => ({ within: [] }),
    all: (_context, ..._all: unknown[]) => {},
    paid() {},
    told() {},
    once() {},
    work() {},
    answer: () => 1,
    failed() {},
    tick() {},
    page: () => "",
  },
});

const OPTIONS = { rpcExchange: "nameko-rpc", autoDeleteExchanges: false };

// deno-lint-ignore no-explicit-any -- tests look deep into documents
const document: any = asyncApiDocument([await describeInDetail(SHOP)], {
  ...OPTIONS,
  servers: ["amqp://guest:secret@broker.example:5672/shop", "amqps://other.example"],
});

Deno.test("asyncApiDocument() makes what AsyncAPI's own parser takes without an error", async () => {
  // It takes long to load, and changes the prototype of all objects.
  const { Parser } = await import("npm:@asyncapi/parser@3.6.6");
  const { document: parsed, diagnostics } = await new Parser().parse(structuredClone(document));
  assert.deepEqual(diagnostics.filter(({ severity }) => severity === 0), []);
  assert.equal(parsed!.version(), "3.0.0");
  assert.deepEqual(parsed!.operations().all().map((each) => `${each.action()} ${each.id()}`).sort(), [
    "receive shop.all",
    "receive shop.all.2",
    "receive shop.answer",
    "receive shop.failed",
    "receive shop.once",
    "receive shop.paid",
    "receive shop.place",
    "receive shop.told",
    "receive shop.work",
    "send shop.ask",
    "send shop.emit",
    "send shop.enqueue",
    "send shop.log",
    "send shop.tell.placed",
  ]);
});

Deno.test("asyncApiDocument() describes RPC as requests with replies, with the schemas of the service", () => {
  const { description, bindings, reply } = document.operations["shop.place"];
  assert.equal(description, "Places an order.");
  assert.deepEqual(bindings, { amqp: { ack: true, bindingVersion: "0.3.0" } });
  assert.equal(reply.channel.$ref, "#/channels/shop.replies");
  const { address, bindings: { amqp } } = document.channels["shop.place"];
  assert.deepEqual([address, amqp.exchange.name, amqp["x-queue"].name], [
    "shop.place",
    "nameko-rpc",
    "rpc-shop",
  ]);
  const { messages, schemas } = document.components;
  const request = messages["shop.place.request"].payload.properties;
  assert.deepEqual(request.args.items, [{ $ref: "#/components/schemas/Order" }]);
  assert.deepEqual(schemas.Order.properties.size.items, [{ type: "number" }, { type: "number" }]);
  const { result, error } = messages["shop.place.reply"].payload.properties;
  assert.deepEqual(result.anyOf[0], { $ref: "#/components/schemas/shop.place.result" });
  assert.deepEqual(error.anyOf[1].properties.exc_type.examples, ["NoStock"]);
});

Deno.test("asyncApiDocument() says of events and queues what the broker has of them", () => {
  const amqp = (channel: string) => document.channels[channel].bindings.amqp;
  assert.deepEqual(amqp("evt-bank-paid--shop.paid"), {
    is: "routingKey",
    exchange: { name: "bank.events", type: "topic", durable: true, autoDelete: false },
    "x-queue": { name: "evt-bank-paid--shop.paid", durable: true, exclusive: false, autoDelete: false },
    bindingVersion: "0.3.0",
  });
  assert.equal(amqp("evt-bank-once")["x-queue"].autoDelete, true);
  assert.equal(amqp("evt-bank-told--shop.told-INSTANCE")["x-queue"], undefined);
  assert.deepEqual(amqp("jobs"), {
    is: "queue",
    queue: { name: "jobs", durable: true, exclusive: false, autoDelete: false },
    bindingVersion: "0.3.0",
  });
  assert.deepEqual([amqp("busy").is, amqp("busy").queue.autoDelete, amqp("busy")["x-bindings"]], [
    "queue",
    true,
    [{ exchange: "logs", routingKey: "*.error" }],
  ]);
  assert.equal(document.operations["shop.work"].bindings.amqp.ack, false);
  assert.equal(document.operations["shop.answer"].reply.address.location, "$message.header#/reply_to");
  const [placed] = Object.values<{ $ref: string }>(document.channels["shop.events.placed"].messages);
  assert.equal(placed!.$ref, "#/components/messages/shop.placed");
  assert.deepEqual(document.components.messages["shop.placed"].payload, {
    $ref: "#/components/schemas/OrderId",
  });
  assert.equal(amqp("shop.events.placed").exchange.name, "shop.events");
  assert.equal(amqp("shop.log to logs").exchange.name, "logs");
  assert.equal(amqp("shop.enqueue to default exchange").exchange.type, "default");
});

Deno.test("asyncApiDocument() names brokers without their users", () => {
  assert.deepEqual(document.servers, {
    broker1: { host: "broker.example:5672", protocol: "amqp", pathname: "/shop" },
    broker2: { host: "other.example", protocol: "amqps" },
  });
});

Deno.test("asyncApiDocument() leaves services out that exchange nothing", () => {
  const manifest = {
    name: "clock",
    entrypoints: [{ method: "a", kind: "timer", options: {} }],
    dependencies: [],
  };
  const { info, channels } = asyncApiDocument([manifest], OPTIONS);
  assert.deepEqual([info, channels], [{ title: "No messages", version: "0.0.0" }, {}]);
});
