import { dispatcher, event, http, rpc, service, timer } from "@enoki/enoki";

class SoldOutError extends Error {
  override name = "SoldOutError";
  data = { sku: 7 };
}

export default service("shop", {
  dependencies: { emit: dispatcher<{ placed: number }>() },
  entrypoints: {
    add: rpc(),
    fail: rpc(),
    spin: rpc({ timeout: 300 }),
    leave: rpc(),
    home: rpc(),
    linger: rpc(),
    place: rpc(),
    placed: event<number>("shop", "placed"),
    tick: timer({ interval: 0.1 }),
    show: http("GET", "/orders/<int:id>"),
  },
  handlers: {
    add: (_context, a: number, b?: number) => a + (b ?? 10),
    fail: () => {
      throw new SoldOutError("nothing left");
    },
    spin: () => {
      for (;;);
    },
    leave: () => Deno.exit(9),
    home: () => Deno.env.get("HOME"),
    async linger({ call }) {
      call.log.info("lingering");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return "done";
    },
    place: ({ emit }, order: number) => emit("placed", order),
    placed: ({ call }, order) => call.log.info(`handled order ${order}`),
    tick: ({ call }) => call.log.debug("ticked"),
    show: (_context, _request, { id }) => ({ id }),
  },
});
