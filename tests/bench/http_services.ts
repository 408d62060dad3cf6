import { z } from "zod";
import { http, service } from "../../mod.ts";

const Order = z.object({
  id: z.number(),
  customer: z.string(),
  items: z.array(z.object({ sku: z.string(), count: z.number().int().positive() })),
});

export default service("bench", {
  entrypoints: {
    hello: http("GET", "/hello/<int:id>"),
    order: http("POST", "/orders", { input: { body: Order } }),
    number: http("GET", "/number"),
  },
  handlers: {
    hello: (_context, _request, { id }) => `Hello, ${id}!`,
    order: (_context, _request, _params, { body }) => body,
    number: () => 7,
  },
});
