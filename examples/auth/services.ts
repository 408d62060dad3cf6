import { client, dispatcher, event, http, logger, rpc, service, userId } from "@enoki/enoki";
import { authenticate, authentication } from "./authenticate.ts";

/** Takes orders over HTTP. */
export const shop = service("shop", {
  dependencies: { ...authentication, orders: client("orders") },
  entrypoints: { order: http("POST", "/orders", { expected: ["Unauthenticated"] }) },
  around: [authenticate],
  handlers: {
    order: async ({ user, orders }, request) => ({
      user: user.name,
      order: await orders.place!(await request.json()),
    }),
  },
});

/** Keeps the orders. Whoever calls it must show the token of a user, too. */
export const orders = service("orders", {
  dependencies: { ...authentication, emit: dispatcher<{ placed: string }>() },
  entrypoints: { place: rpc({ expected: ["Unauthenticated"] }) },
  around: [authenticate],
  handlers: {
    async place({ user, emit }, sku: string) {
      await emit("placed", sku);
      return { sku, customer: user.id };
    },
  },
});

/** Thanks the user whose order it was: the id has come along with the event. */
export const mail = service("mail", {
  dependencies: { log: logger(), customer: userId() },
  entrypoints: { thank: event<typeof orders, "placed">("orders", "placed") },
  handlers: {
    thank: ({ log, customer }, sku) => log.info(`Dear ${customer}, thank you for ordering ${sku}`),
  },
});
