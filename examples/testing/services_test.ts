/** Whole services, in the thread of the test. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { fakeHub, testServices } from "@enoki/enoki/testing";
import conversions from "./conversion.ts";
import { back, type Order, shop, stock } from "./shop.ts";

const ORDER: Order = { item: "spacer", amount: 2 };

Deno.test("a method is called: Nameko's entrypoint_hook", async () => {
  await using app = await testServices([conversions]);
  strictEqual(await app.call("conversions.inches_to_cm", 100), 254);
  strictEqual(await app.client(conversions).cms_to_inches.kwargs({ cms: 254 }), 100);
});

Deno.test("a call that another one leads to is waited for: Nameko's entrypoint_waiter", async () => {
  await using app = await testServices([shop, stock, back]);
  strictEqual(await app.call("shop.buy", ORDER), 20);
  const { args: [sold], outcome } = await app.waitFor("back.tell");
  deepStrictEqual([sold, outcome.ok], [ORDER, true]);
  await app.waitFor("back.post", { where: ({ args: [letter] }) => letter === "Invoice: 20" });
});

Deno.test("dependencies are replaced: Nameko's replace_dependencies", async () => {
  const hub = fakeHub<{ sold: Order }>();
  await using app = await testServices([shop, back], {
    replace: { shop: { stock: { price: () => 7 } }, back: { hub } },
  });
  strictEqual(await app.call("shop.buy", ORDER), 14);
  await app.idle();
  deepStrictEqual(hub.broadcasts, [{ channel: "sales", event: "sold", data: ORDER }]);
});

Deno.test("entrypoints are left out: Nameko's restrict_entrypoints", async () => {
  await using app = await testServices([shop, stock, back], { only: ["back.tell", "shop.close"] });
  await app.dispatch(shop, "sold", ORDER);
  await app.publish("a letter that nobody reads", { routingKey: "letters" });
  strictEqual((await app.fire("shop.close")).ok, true);
  await app.idle();
  deepStrictEqual(app.calls.map(({ method }) => method).sort(), ["close", "tell"]);
});

Deno.test("an error is that of the service", async () => {
  await using app = await testServices([shop, stock]);
  await rejects(app.call("shop.buy", { item: "widget", amount: 1 }), { remoteName: "RemoteError" });
  const { outcome } = await app.waitFor("stock.price");
  strictEqual(!outcome.ok && outcome.expected && outcome.error.name, "ItemOutOfStock");
});

Deno.test("the services answer over HTTP and WebSocket", async () => {
  await using app = await testServices([shop, stock, back]);
  strictEqual(await (await app.fetch("/items/spacer")).text(), "spacer: 10");
  const socket = await app.socket<typeof back>("/ws");
  const { promise: heard, resolve } = Promise.withResolvers<Order>();
  socket.on("sold", resolve);
  await socket.call.watch();
  await app.call("shop.buy", ORDER);
  deepStrictEqual(await heard, ORDER);
});
