/** The same services in real threads, over a RabbitMQ of which the test has a part for itself. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { rabbitmqVhost, testServices } from "@enoki/enoki/testing";
import { back, type Order, shop, stock } from "./shop.ts";

Deno.test("an order passes through RabbitMQ: Nameko's rabbit_config and container_factory", async () => {
  const order: Order = { item: "spacer", amount: 2 };
  await using vhost = await rabbitmqVhost();
  await using app = await testServices([shop, stock, back], { broker: vhost.uri, threads: {} });
  strictEqual(await app.call("shop.buy", order), 20);
  deepStrictEqual((await app.waitFor("back.tell")).args, [order]);
  await app.idle();
});
