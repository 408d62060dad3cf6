import { strictEqual } from "node:assert/strict";
import {
  type Dispatcher,
  dispatcher,
  event,
  type EventPayload,
  type EventsOf,
} from "../../extensions/events/mod.ts";
import type { Connection } from "../../extensions/connect.ts";
import { contract, service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

interface Order {
  readonly id: number;
}

/** An interface, which has no index signature. */
interface Events {
  placed: Order;
  cancelled: { readonly id: number; readonly why?: string };
  tick: undefined;
}

Deno.test("event() types the payload of its handler", () => {
  const shop = service("shop", {
    entrypoints: { paid: event<Order>("payments", "received"), any: event("payments", "#") },
    handlers: {
      paid(_context, order) {
        type _ = Expect<Equal<typeof order, Order>>;
      },
      any(_context, payload) {
        type _ = Expect<Equal<typeof payload, unknown>>;
      },
    },
  });
  strictEqual(shop.name, "shop");
});

Deno.test("event() takes a handler that returns something, or later", () => {
  const shop = service("shop", {
    entrypoints: { now: event<Order>("payments", "a"), later: event<Order>("payments", "b") },
    handlers: {
      now: (_context, order) => [order].push(order),
      later: (_context, order) => Promise.resolve(order),
    },
  });
  strictEqual(shop.name, "shop");
});

Deno.test("event() does not compile with a handler of another payload, or with options that do not exist", () => {
  const shop = service("shop", {
    entrypoints: { paid: event<Order>("payments", "received") },
    handlers: {
      // @ts-expect-error The payload is an order.
      paid: (_context, _order: string) => {},
    },
  });
  // @ts-expect-error There is no such delivery.
  const fanout = () => event("payments", "received", { delivery: "fanout" });
  // @ts-expect-error There is no such option.
  const durable = () => event("payments", "received", { durable: true });
  strictEqual(shop.name, "shop");
  strictEqual(typeof fanout, typeof durable);
});

Deno.test("dispatcher() types the events that a handler emits", () => {
  const shop = service("shop", {
    dependencies: { emit: dispatcher<Events>(), emitAny: dispatcher() },
    entrypoints: { start: event("payments", "received") },
    handlers: {
      async start({ emit, emitAny }) {
        type _1 = Expect<Equal<typeof emit, Dispatcher<Events>>>;
        type _2 = Expect<Equal<ReturnType<typeof emit>, Promise<void>>>;
        await emit("placed", { id: 1 });
        await emit("placed", { id: 1 }, { priority: 1 });
        await emit("cancelled", { id: 1 });
        await emit("tick");
        await emitAny("whatever", { you: "like" });
        await emitAny("whatever");
        // @ts-expect-error There is no such event.
        await emit("plcaed", { id: 1 });
        // @ts-expect-error The payload is an order.
        await emit("placed", { id: "1" });
        // @ts-expect-error The payload is missing.
        await emit("placed");
        // @ts-expect-error There is no such option.
        await emit("placed", { id: 1 }, { urgent: true });
      },
    },
  });
  strictEqual(shop.name, "shop");
});

const orders = service("orders", {
  dependencies: {
    emit: dispatcher<{ placed: { readonly id: number; readonly at: Date }; "order.paid": number }>(),
    emitMore: dispatcher<{ "order.paid.late": { readonly days: number }; closed: undefined }>(),
  },
  handlers: {},
});

interface Placed {
  readonly id: number;
  readonly at: string;
}

Deno.test("event() of a service's type gives its handler the payload as JSON has it", () => {
  const shop = service("shop", {
    entrypoints: {
      placed: event<typeof orders, "placed">("orders", "placed", { retry: { max: 1 } }),
      paid: event<typeof orders, "order.paid">("orders", "order.paid"),
      closed: event<typeof orders, "closed">("orders", "closed"),
    },
    handlers: {
      placed(_context, order) {
        type _ = Expect<Equal<typeof order, Placed>>;
      },
      paid(_context, total) {
        type _ = Expect<Equal<typeof total, number>>;
      },
      closed(_context, nothing) {
        type _ = Expect<Equal<typeof nothing, null>>;
      },
    },
  });
  strictEqual(shop.name, "shop");
});

Deno.test("event() of a service's type gives a pattern the payloads of all events that it fits", () => {
  type Late = { readonly days: number };
  type _1 = Expect<Equal<EventPayload<typeof orders, "order.*">, number>>;
  type _2 = Expect<Equal<EventPayload<typeof orders, "order.#">, number | Late>>;
  type _3 = Expect<Equal<EventPayload<typeof orders, "#.late">, Late>>;
  type _4 = Expect<Equal<EventPayload<typeof orders, "*.paid.*">, Late>>;
  type _5 = Expect<Equal<EventPayload<typeof orders, "#">, Placed | number | Late | null>>;
  type _6 = Expect<Equal<EventPayload<typeof orders, "*">, Placed | null>>;
  strictEqual(orders.name, "orders");
});

Deno.test("event() of a service's type alone checks the name and gives the payload of any event", () => {
  const single = service("single", { dependencies: { emit: dispatcher<{ placed: Order }>() }, handlers: {} });
  const shop = service("shop", {
    entrypoints: {
      only: event<typeof single>("single", "placed"),
      any: event<typeof orders>("orders", "placed"),
    },
    handlers: {
      only(_context, order) {
        type _ = Expect<Equal<typeof order, { readonly id: number }>>;
      },
      any(_context, payload) {
        type _ = Expect<Equal<typeof payload, EventPayload<typeof orders, "#">>>;
      },
    },
  });
  // @ts-expect-error There is no such event.
  const misspelled = () => event<typeof orders>("orders", "plcaed");
  // @ts-expect-error There is no such event.
  const alsoMisspelled = () => event<typeof orders, "plcaed">("orders", "plcaed");
  // @ts-expect-error The two names differ.
  const different = () => event<typeof orders, "placed">("orders", "closed");
  // @ts-expect-error The service has another name.
  const other = () => event<typeof orders, "placed">("order", "placed");
  strictEqual(shop.name, "shop");
  strictEqual([misspelled, alsoMisspelled, different, other].length, 4);
});

Deno.test("event() of a service with an untyped dispatcher takes any name", () => {
  const open = service("open", { dependencies: { emit: dispatcher() }, handlers: {} });
  const shop = service("shop", {
    entrypoints: { any: event<typeof open, "whatever">("open", "whatever") },
    handlers: {
      any(_context, payload) {
        type _ = Expect<Equal<typeof payload, unknown>>;
      },
    },
  });
  strictEqual(shop.name, "shop");
});

const stock = contract("stock", {}, { emit: dispatcher<{ empty: { readonly sku: string } }>() });
const sales = contract("sales", {}, { tell: dispatcher<{ sold: { readonly sku: string } }>() });

Deno.test("event() types two services that handle the events of each other through their contracts", () => {
  const stockService = service(stock, { handlers: {} });
  const handler = service("handler", {
    entrypoints: { sold: event<typeof sales, "sold">("sales", "sold") },
    handlers: {
      sold(_context, { sku }) {
        type _ = Expect<Equal<typeof sku, string>>;
      },
    },
  });
  type _1 = Expect<Equal<keyof EventsOf<typeof stock>, "empty">>;
  type _2 = Expect<Equal<keyof EventsOf<typeof stockService>, "empty">>;
  strictEqual(handler.name, "handler");
});

Deno.test("service() of a contract has its dispatchers in the context, beside its own dependencies", () => {
  const talking = contract("talking", { start: event("payments", "paid") }, {
    emit: dispatcher<{ placed: Order }>(),
  });
  const implementation = service(talking, {
    dependencies: { more: dispatcher<{ more: number }>() },
    handlers: {
      async start({ emit, more }) {
        type _1 = Expect<Equal<typeof emit, Dispatcher<{ placed: Order }>>>;
        type _2 = Expect<Equal<typeof more, Dispatcher<{ more: number }>>>;
        await emit("placed", { id: 1 });
        // @ts-expect-error There is no such event.
        await emit("plcaed", { id: 1 });
      },
    },
  });
  strictEqual(implementation.dependencies.emit, talking.dispatchers?.emit);
  strictEqual(implementation.dependencies.more.kind, "dispatcher");
});

Deno.test("Connection.dispatch() of a service's type checks the name and the payload", () => {
  const dispatch = async (connection: Connection) => {
    await connection.dispatch("anyone", "anything", { you: "like" }, { priority: 1 });
    await connection.dispatch<typeof orders>("orders", "placed", { id: 1, at: new Date(0) });
    await connection.dispatch<typeof orders>("orders", "order.paid", 7, { mandatory: true });
    // @ts-expect-error There is no such event.
    await connection.dispatch<typeof orders>("orders", "plcaed", { id: 1, at: new Date(0) });
    // @ts-expect-error The payload is of another event.
    await connection.dispatch<typeof orders>("orders", "placed", 7);
    // @ts-expect-error The service has another name.
    await connection.dispatch<typeof orders>("order", "order.paid", 7);
  };
  strictEqual(typeof dispatch, "function");
});
