import type { Template } from "../template.ts";

/** A service that dispatches an event, and one that handles it. */
export const eventsTemplate: Template = {
  summary: `The service \`orders\` dispatches the event \`placed\`, and the service \`mail\`
handles it.`,
  modules: ["orders.ts", "mail.ts"],
  files: {
    "order.ts": `/** An order of a customer. */
export interface Order {
  readonly id: number;
  readonly customer: string;
}
`,
    "orders.ts": `import { dispatcher, rpc, service } from "@enoki/enoki";
import type { Order } from "./order.ts";

export default service("orders", {
  dependencies: { emit: dispatcher<{ placed: Order }>() },
  entrypoints: { place: rpc() },
  handlers: {
    async place({ emit }, order: Order) {
      await emit("placed", order);
      return order.id;
    },
  },
});
`,
    "mail.ts": `import { event, service } from "@enoki/enoki";
import type orders from "./orders.ts";

export default service("mail", {
  entrypoints: { confirm: event<typeof orders, "placed">("orders", "placed") },
  handlers: {
    confirm({ call }, order) {
      call.log.info(\`Order \${order.id} is on its way to \${order.customer}\`);
    },
  },
});
`,
    "orders_test.ts": `import { deepStrictEqual } from "node:assert/strict";
import {
  fakeDispatcher,
  testContext,
  testServices,
} from "@enoki/enoki/testing";
import mail from "./mail.ts";
import type { Order } from "./order.ts";
import orders from "./orders.ts";

const order = { id: 7, customer: "Ada" };

Deno.test("place() tells that an order was placed", async () => {
  const emit = fakeDispatcher<{ placed: Order }>();
  await orders.handlers.place(testContext(orders, { emit }), order);
  deepStrictEqual(emit.events, [{ type: "placed", payload: order }]);
});

Deno.test("an order that is placed is confirmed", async () => {
  await using app = await testServices([orders, mail]);
  await app.call("orders.place", order);
  const { args, outcome } = await app.waitFor("mail.confirm");
  deepStrictEqual([args, outcome.ok], [[order], true]);
});
`,
  },
  config: [],
  attempt: { words: `call orders.place '{"id": 7, "customer": "Ada"}'`, prints: "7" },
};
