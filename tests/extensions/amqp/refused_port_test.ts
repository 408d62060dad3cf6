import assert from "node:assert/strict";
import { isRefused } from "../../../extensions/amqp/refused_port.ts";
import { freePort } from "../../fixtures/free_port.ts";

Deno.test("isRefused() says that nothing listens", async () => {
  assert.equal(await isRefused("localhost", freePort()), true);
});

Deno.test("isRefused() says that a program listens that never speaks", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.equal(await isRefused("127.0.0.1", silent.addr.port), false);
});

Deno.test("isRefused() does not take a host without an address for one that refuses", async () => {
  assert.equal(await isRefused("host.invalid", 5672), false);
});
