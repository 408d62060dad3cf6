import { strictEqual } from "node:assert/strict";
import { type Cache, cache, cachedClient } from "../../extensions/cache/mod.ts";
import { type Client, rpc } from "../../extensions/rpc/mod.ts";
import { type Injected, service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

interface Price {
  readonly sku: string;
  readonly at: Date;
}

const prices = service("prices", {
  entrypoints: { of: rpc(), change: rpc() },
  handlers: {
    of: (_context, sku: string, _day?: number): Price => ({ sku, at: new Date(0) }),
    change(_context, _sku: string, _to: number) {},
  },
});

type WirePrice = { readonly sku: string; readonly at: string };

Deno.test("cachedClient() injects the client of the service, with forget()", () => {
  const spec = cachedClient<typeof prices>("prices", { first: { ttl: 5 }, methods: ["of"] });
  type Prices = Injected<typeof spec>;
  type _1 = Expect<Equal<keyof Prices, "of" | "change">>;
  type _2 = Expect<Equal<Parameters<Prices["of"]>, [sku: string, _day?: number | undefined]>>;
  type _4 = Expect<Equal<Awaited<ReturnType<Prices["of"]>>, WirePrice>>;
  type _5 = Expect<Equal<Parameters<Prices["of"]["forget"]>, [sku: string, _day?: number | undefined]>>;
  type _3 = Expect<Prices extends Client<typeof prices> ? true : false>;
  strictEqual(spec.kind, "cache");
});

Deno.test("cachedClient() takes names of methods and of the service alone", () => {
  cachedClient<typeof prices>("prices", { methods: { of: { first: {} }, change: { fallback: { for: 1 } } } });
  // @ts-expect-error There is no such method.
  cachedClient<typeof prices>("prices", { first: {}, methods: ["off"] });
  // @ts-expect-error There is no such method.
  cachedClient<typeof prices>("prices", { first: {}, methods: { of: true, off: true } });
  // @ts-expect-error The service has another name.
  cachedClient<typeof prices>("price", { first: {}, methods: ["of"] });
  // @ts-expect-error Nothing says which methods are cached.
  const incomplete = () => cachedClient<typeof prices>("prices", { first: {} });
  strictEqual(typeof incomplete, "function");
});

Deno.test("a method of a cached client takes what the handler takes", () => {
  const use = async (client: Injected<ReturnType<typeof made>>) => {
    const price: WirePrice = await client.of("a", 1);
    await client.of.forget("a");
    await client.of.with({ timeout: 5 }).forget("a");
    // @ts-expect-error The argument is a text.
    await client.of(5);
    // @ts-expect-error The argument is a text.
    await client.of.forget(5);
    // @ts-expect-error There is no such method.
    await client.off("a");
    return price;
  };
  const made = () => cachedClient(prices, { first: {}, methods: ["of"] });
  strictEqual(typeof use, "function");
});

Deno.test("a cached value has the type that JSON gives it", () => {
  const spec = cache();
  type _ = Expect<Equal<Injected<typeof spec>, Cache>>;
  const use = async (values: Cache) => {
    const dated = await values.get("a", () => ({ at: new Date(0), none: undefined }));
    type _1 = Expect<Equal<typeof dated, { at: string }>>;
    const maybe = await values.get(["b", { c: 1 }], async () => await Promise.resolve<number | undefined>(1));
    type _2 = Expect<Equal<typeof maybe, number | null>>;
    // @ts-expect-error There is no loader.
    await values.get("a", { ttl: 5 });
    // @ts-expect-error JSON has no such key.
    await values.get(new Map(), () => 1);
  };
  strictEqual(typeof use, "function");
});
