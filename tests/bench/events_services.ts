import { dispatcher, event, rpc, service } from "../../mod.ts";

/** Dispatches as many events as it is asked to, 50 at a time. */
export const emitter = service("bench_emitter", {
  dependencies: { emit: dispatcher<{ placed: unknown }>() },
  entrypoints: { emit: rpc() },
  handlers: {
    async emit({ emit }, count: number, payload: unknown) {
      let left = count;
      await Promise.all(Array.from({ length: 50 }, async () => {
        while (left-- > 0) await emit("placed", payload);
      }));
    },
  },
});

/** Handles them. */
export const handler = service("bench_handler", {
  entrypoints: { placed: event("bench_emitter", "placed", { prefetch: 50 }) },
  handlers: { placed() {} },
});
