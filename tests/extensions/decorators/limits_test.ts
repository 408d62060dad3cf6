import { deepStrictEqual } from "node:assert/strict";
import { http, inject, rpc, timer } from "../../../extensions/decorators.ts";
import { type Client, client } from "../../../mod.ts";
import { describe } from "../../../runtime/service/manifest.ts";
import { serviceOf } from "../../../runtime/service/service.ts";

class Shop {
  static readonly name = "shop";

  @inject(client("payments", { idempotent: true, retry: { max: 1 }, fallback: null }))
  payments!: Client<unknown>;

  @rpc({ concurrency: 2, rate: { perSecond: 5 } })
  place(): void {}
  @http("GET", "/orders", { rate: { perSecond: 1, burst: 2 } })
  list(): string[] {
    return [];
  }
  @timer({ interval: 1, priority: -1 })
  sweep(): void {}
}

Deno.test("a class states the policies of its clients and the limits of its methods", () => {
  const { dependencies, entrypoints } = describe(serviceOf(Shop)!);
  deepStrictEqual(dependencies.map(({ key, kind, options }) => ({ key, kind, options })), [{
    key: "payments",
    kind: "client",
    options: {
      service: "payments",
      all: {
        idempotent: true,
        retry: { max: 1, delay: 100, factor: 2, jitter: 0.5, on: [] },
      },
      methods: {},
    },
  }]);
  deepStrictEqual(entrypoints.map(({ method, options }) => ({ method, ...options })), [
    { method: "place", concurrency: 2, rate: { perSecond: 5 }, overLimit: "wait" },
    {
      method: "list",
      methods: ["GET"],
      rule: "/orders",
      rate: { perSecond: 1, burst: 2 },
      overLimit: "refuse",
    },
    { method: "sweep", interval: 1, eager: false, priority: -1 },
  ]);
});
