import type { Template } from "../template.ts";
import { eventsTemplate } from "./events.ts";

/** An HTTP API over RPC, events and a timer. */
export const fullTemplate: Template = {
  summary: `The service \`shop\` takes orders over HTTP and calls \`orders\`, which dispatches
the event \`placed\`; \`mail\` handles it, and reports once a minute.`,
  modules: ["shop.ts", "orders.ts", "mail.ts"],
  files: {
    ...eventsTemplate.files,
    "shop.ts": `import { client, http, service } from "@enoki/enoki";
import type orders from "./orders.ts"; // a type: no code crosses

export default service("shop", {
  dependencies: { orders: client<typeof orders>("orders", { timeout: 5_000 }) },
  entrypoints: { order: http("POST", "/orders") },
  handlers: {
    async order({ orders }, request) {
      const id = await orders.place(await request.json());
      return Response.json({ id }, { status: 201 });
    },
  },
});
`,
    "shop_test.ts": `import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { fakeClient, testContext } from "@enoki/enoki/testing";
import type orders from "./orders.ts";
import shop from "./shop.ts";

Deno.test("order() answers with the number of the order", async () => {
  const fake = fakeClient<typeof orders>({ place: (order) => order.id });
  const request = new Request("http://localhost/orders", {
    method: "POST",
    body: '{"id": 7, "customer": "Ada"}',
  });
  const context = testContext(shop, { orders: fake });
  const response = await shop.handlers.order(context, request);
  strictEqual(response.status, 201);
  deepStrictEqual(await response.json(), { id: 7 });
});
`,
    "mail.ts": `import { event, service, timer } from "@enoki/enoki";
import type orders from "./orders.ts";

let sent = 0; // Each thread of the service has its own: see "Threads" in the documentation.

export default service("mail", {
  entrypoints: {
    confirm: event<typeof orders, "placed">("orders", "placed", {
      retry: { max: 3 },
    }),
    report: timer({ interval: 60 }),
  },
  handlers: {
    confirm({ call }, order) {
      sent++;
      call.log.info(\`Order \${order.id} is on its way to \${order.customer}\`);
    },
    report({ call }) {
      call.log.info("messages sent by this thread", { sent });
    },
  },
});
`,
  },
  config: ["# Where HTTP is served: [host:]port.", "WEB_SERVER_ADDRESS: 127.0.0.1:8000"],
  attempt: {
    program: "curl",
    words: `-d '{"id": 7, "customer": "Ada"}' http://127.0.0.1:8000/orders`,
    prints: '{"id":7}',
  },
};
