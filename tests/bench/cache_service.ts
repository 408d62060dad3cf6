import { rpc, service } from "../../mod.ts";
import { cache, cachedClient } from "../../extensions/cache/mod.ts";

const PRICE = {
  sku: "7-inch",
  currency: "EUR",
  amounts: [1, 2, 3, 5, 8],
  valid: { from: "2024", to: "2025" },
};

/** What is called, which is the same for all. */
export const prices = service("enoki_bench_prices", {
  entrypoints: { of: rpc() },
  handlers: { of: (_context, _sku: string) => PRICE },
});

/** Microseconds of one read each. */
export interface ReadTimes {
  readonly bare: number;
  readonly own: number;
  readonly called: number;
}

/** Measures hits in its thread. */
export default service("enoki_bench_cache", {
  dependencies: {
    // The first level keeps the value for the whole round: what it asks for is not measured here.
    cache: cache({ near: { for: 600_000 } }),
    prices: cachedClient<typeof prices>("enoki_bench_prices", {
      first: { ttl: 600_000 },
      near: { for: 600_000 },
      methods: ["of"],
    }),
  },
  entrypoints: { measure: rpc() },
  handlers: {
    async measure({ cache, prices }, reads: number): Promise<ReadTimes> {
      const map = new Map([["price", PRICE]]);
      const timed = async (read: () => unknown) => {
        await read();
        const start = performance.now();
        for (let index = 0; index < reads; index++) await read();
        return (performance.now() - start) * 1_000 / reads;
      };
      const bare = await timed(() => map.get("price"));
      const own = await timed(() => cache.get("price", () => PRICE, { ttl: 600_000 }));
      const called = await timed(() => prices.of("7-inch"));
      return { bare, own, called };
    },
  },
});
