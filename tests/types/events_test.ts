import { strictEqual } from "node:assert/strict";
import { type Dispatcher, dispatcher, event } from "../../extensions/events/mod.ts";
import { service } from "../../runtime/service/service.ts";
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
