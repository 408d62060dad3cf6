import assert from "node:assert/strict";
import { client, rpc, service } from "../../../mod.ts";
import { testContext } from "../../../extensions/testing/mod.ts";

const orders = service("orders", {
  dependencies: { payments: client("payments") },
  entrypoints: { place: rpc() },
  handlers: {
    async place({ payments, call }, total: number) {
      const receipt = await payments["charge"]!(total);
      return { receipt, by: call.headers["user_id"] };
    },
  },
});

Deno.test("testContext() gives a handler the dependencies and the context data of the test", async () => {
  const payments = { charge: (total: unknown) => Promise.resolve(`paid ${total}`) };
  const context = testContext(orders, { payments: payments as never }, { headers: { user_id: 7 } });
  assert.deepEqual(await orders.handlers.place(context, 5), { receipt: "paid 5", by: 7 });
});

Deno.test("testContext() names the dependency that the test forgot", async () => {
  await assert.rejects(orders.handlers.place(testContext(orders), 5), {
    name: "TypeError",
    message: 'Cannot use dependency "payments" in a test: pass it to testContext()',
  });
});
