/** A gateway that answers requests with what another service says. */
import { client, http, rpc, service } from "../../../mod.ts";

class OutOfStock extends Error {
  readonly status = 409;
}

class Unnamed extends Error {
  readonly status = 404;
}

export const stock = service("gateway_stock", {
  entrypoints: { take: rpc() },
  handlers: {
    take(_context, item: string) {
      throw item === "other" ? new Unnamed("not told") : new OutOfStock(`no ${item} left`);
    },
  },
});

export const gateway = service("gateway", {
  dependencies: { stock: client<typeof stock>("gateway_stock") },
  entrypoints: { take: http("GET", "/take/:item", { expected: ["OutOfStock"] }) },
  handlers: { take: ({ stock }, _request, { item }) => stock.take(item) },
});
