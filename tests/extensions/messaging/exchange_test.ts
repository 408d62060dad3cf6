import assert from "node:assert/strict";
import { exchange } from "../../../extensions/messaging/mod.ts";
import type { ExchangeType } from "../../../runtime/message/transport.ts";

Deno.test("exchange() has kombu's defaults: direct, durable, not auto-delete", () => {
  assert.deepEqual(exchange("orders"), { name: "orders", type: "direct", durable: true, autoDelete: false });
});

Deno.test("exchange() takes what it is told", () => {
  const options = {
    type: "topic",
    durable: false,
    autoDelete: true,
    arguments: { "alternate-exchange": "lost" },
  } as const;
  assert.deepEqual(exchange("orders", options), { name: "orders", ...options });
});

Deno.test("exchange() refuses the default exchange's name", () => {
  assert.throws(() => exchange(""), TypeError);
});

Deno.test("exchange() refuses a type that there is not", () => {
  assert.throws(() => exchange("orders", { type: "x-delayed" as ExchangeType }), /"x-delayed" is none of/);
});
