/** Handlers alone, each with a context of fakes: Nameko's `worker_factory`. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { fakeClient, fakeDispatcher, fakeHub, fakePublisher, testContext } from "@enoki/enoki/testing";
import conversions from "./conversion.ts";
import { back, type Order, shop, type stock } from "./shop.ts";

Deno.test("inches_to_cm() converts", () => {
  strictEqual(conversions.handlers.inches_to_cm(testContext(conversions), 100), 254);
});

Deno.test("buy() asks for the price, tells of the sale and prints an invoice", async () => {
  const emit = fakeDispatcher<{ sold: Order }>();
  const print = fakePublisher<string>();
  const context = testContext(shop, { stock: fakeClient<typeof stock>({ price: () => 3 }), emit, print });
  const order = { item: "spacer", amount: 2 };
  strictEqual(await shop.handlers.buy(context, order), 6);
  deepStrictEqual(emit.events, [{ type: "sold", payload: order }]);
  strictEqual(print.messages[0]?.payload, "Invoice: 6");
});

Deno.test("tell() tells those who watch", async () => {
  const hub = fakeHub<{ sold: Order }>();
  const order = { item: "spacer", amount: 2 };
  await back.handlers.tell(testContext(back, { hub }), order);
  deepStrictEqual(hub.broadcasts, [{ channel: "sales", event: "sold", data: order }]);
});
