import { strictEqual } from "node:assert/strict";
import { config } from "../../extensions/config/mod.ts";
import { logger } from "../../extensions/logger/mod.ts";
import { rpc } from "../../extensions/rpc/mod.ts";
import { type Injected, service } from "../../runtime/service/service.ts";
import type { Log } from "../../runtime/log/log.ts";
import type { Plain, PlainRecord } from "../../runtime/message/plain.ts";
import type { Equal, Expect } from "./equality.ts";

Deno.test("config() injects the whole configuration", () => {
  const spec = config();
  type _ = Expect<Equal<Injected<typeof spec>, PlainRecord>>;
  strictEqual(typeof spec.bind, "function");
});

Deno.test("config() of a key may be null, unless there is a fallback", () => {
  const unknown = config("FEATURE");
  const number = config<number>("LIMIT");
  const fallback = config<boolean>("FEATURE", false);
  type _1 = Expect<Equal<Injected<typeof unknown>, Plain>>;
  type _2 = Expect<Equal<Injected<typeof number>, number | null>>;
  type _3 = Expect<Equal<Injected<typeof fallback>, boolean>>;
  strictEqual(typeof fallback.bind, "function");
});

Deno.test("logger() injects a log", () => {
  const spec = logger();
  type _ = Expect<Equal<Injected<typeof spec>, Log>>;
  strictEqual(typeof spec.bind, "function");
});

Deno.test("service() takes the dependencies of extensions beside each other", () => {
  const shop = service("shop", {
    dependencies: { limit: config<number>("LIMIT", 10), log: logger() },
    entrypoints: { place: rpc() },
    handlers: {
      place({ limit, log }, quantity: number) {
        type _1 = Expect<Equal<typeof limit, number>>;
        type _2 = Expect<Equal<typeof log, Log>>;
        return quantity <= limit;
      },
    },
  });
  strictEqual(shop.name, "shop");
});
