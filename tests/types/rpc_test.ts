import { strictEqual, throws } from "node:assert/strict";
import { z } from "zod";
import { type Client, rpc } from "../../extensions/rpc/mod.ts";
import { service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

const Order = z.object({ id: z.coerce.number<string>(), note: z.string().default("none") });
const Quantity = z.number().int();
const Placed = z.object({ at: z.date().transform((date) => date.toISOString()) });

type OrderIn = { id: string; note?: string | undefined };
type OrderOut = { id: number; note: string };

Deno.test("rpc() with a signature types the handler and the client", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc<(order: OrderOut, quantity?: number) => Promise<Date>>() },
    handlers: {
      place(_context, order, quantity) {
        type _1 = Expect<Equal<typeof order, OrderOut>>;
        type _2 = Expect<Equal<typeof quantity, number | undefined>>;
        return new Date(0);
      },
    },
  });
  type Place = Client<typeof shop>["place"];
  type _1 = Expect<Equal<Parameters<Place>, [order: OrderOut, quantity?: number | undefined]>>;
  type _2 = Expect<Equal<ReturnType<Place>, Promise<string>>>;
  strictEqual(shop.name, "shop");
});

Deno.test("rpc() with a signature does not compile with another handler", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc<(order: OrderOut) => Date>(), count: rpc<() => number>() },
    handlers: {
      // @ts-expect-error The order is no text.
      place: (_context, _order: string) => new Date(0),
      // @ts-expect-error The count is a number.
      count: () => "many",
    },
  });
  strictEqual(shop.name, "shop");
});

Deno.test("rpc() with a schema types the handler by its output and the client by its input", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc({ input: Order }) },
    handlers: {
      place(_context, order) {
        type _ = Expect<Equal<typeof order, OrderOut>>;
        return order.id;
      },
    },
  });
  type Place = Client<typeof shop>["place"];
  type _1 = Expect<Equal<Parameters<Place>, [OrderIn]>>;
  type _2 = Expect<Equal<ReturnType<Place>, Promise<number>>>;
  strictEqual(shop.name, "shop");
});

Deno.test("rpc() with schemas both ways types the result at both ends", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc({ input: Order, output: Placed, expected: ["SoldOut"] }) },
    handlers: { place: (_context, order) => ({ at: new Date(order.id) }) },
  });
  type _ = Expect<
    Equal<Client<typeof shop>["place"] extends (order: OrderIn) => Promise<{ at: string }> ? 1 : 0, 1>
  >;
  const wrong = service("wrong", {
    entrypoints: { place: rpc({ input: Order, output: Placed }) },
    handlers: {
      // @ts-expect-error The output schema takes a date.
      place: (_context, order) => ({ at: order.note }),
    },
  });
  strictEqual(shop.name + wrong.name, "shopwrong");
});

Deno.test("rpc() with an output schema alone leaves the parameters to the handler", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc({ output: Placed }) },
    handlers: { place: (_context, id: number) => ({ at: new Date(id) }) },
  });
  type Place = Client<typeof shop>["place"];
  type _1 = Expect<Equal<Parameters<Place>, [id: number]>>;
  type _2 = Expect<Equal<Awaited<ReturnType<Place>>["at"], string>>;
  const wrong = service("wrong", {
    entrypoints: { place: rpc({ output: Placed }) },
    handlers: {
      // @ts-expect-error The output schema takes a date.
      place: () => ({ at: "now" }),
    },
  });
  strictEqual(shop.name + wrong.name, "shopwrong");
});

Deno.test("rpc() with a list of schemas types each argument by its own", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc({ input: [Order, Quantity] }) },
    handlers: {
      place(_context, order, quantity) {
        type _1 = Expect<Equal<typeof order, OrderOut>>;
        type _2 = Expect<Equal<typeof quantity, number>>;
        return order.note.repeat(quantity);
      },
    },
  });
  type Place = Client<typeof shop>["place"];
  type _1 = Expect<Equal<Parameters<Place>, [OrderIn, number]>>;
  type _2 = Expect<Equal<ReturnType<Place>, Promise<string>>>;
  strictEqual(shop.name, "shop");
});

Deno.test("rpc() with options and without a schema leaves all types to the handler", () => {
  const shop = service("shop", {
    entrypoints: { place: rpc({ params: ["order"], timeout: 1_000, redact: ["order.card"] }) },
    handlers: { place: (_context, order: OrderOut) => order.id },
  });
  type Place = Client<typeof shop>["place"];
  type _ = Expect<Equal<Parameters<Place>, [order: OrderOut]>>;
  strictEqual(shop.name, "shop");
});

Deno.test("rpc() does not compile with an option that it does not have", () => {
  // @ts-expect-error There is no such option.
  throws(() => rpc({ retries: 3 }), { name: "TypeError" });
});

Deno.test("service() takes several typed entrypoints for one method", () => {
  const shop = service("shop", {
    entrypoints: { place: [rpc(), rpc<(order: OrderOut) => number>()] },
    handlers: {
      place(_context, order) {
        type _ = Expect<Equal<typeof order, OrderOut>>;
        return order.id;
      },
    },
  });
  strictEqual(shop.entrypoints.place.length, 2);
});
