import { strictEqual } from "node:assert/strict";
import type { Injected } from "../../runtime/service/service.ts";
import { type DependencySpec, provider } from "../../runtime/service/dependency.ts";
import type { Equal, Expect } from "./equality.ts";

Deno.test("provider() infers what an object injects", () => {
  const clock = provider({ get: () => new Date(0) });
  type _1 = Expect<Equal<typeof clock, DependencySpec<Date>>>;
  type _2 = Expect<Equal<Injected<typeof clock>, Date>>;
  strictEqual(typeof clock.bind, "function");
});

Deno.test("provider() infers what a promise of an object injects", () => {
  const greeting = provider({ get: async () => await Promise.resolve("Hello") });
  type _ = Expect<Equal<typeof greeting, DependencySpec<string>>>;
  strictEqual(typeof greeting.bind, "function");
});

Deno.test("provider() infers from a function that makes a provider for each thread", () => {
  const counter = provider((host) => {
    type _1 = Expect<Equal<typeof host.service, string>>;
    type _2 = Expect<Equal<typeof host.signal, AbortSignal>>;
    let count = 0;
    return {
      setup() {
        count = 1;
      },
      get: (call) => ({ id: call.id, count: ++count }),
      release(_call, result) {
        if (result.ok) strictEqual(result.value, undefined);
      },
      async [Symbol.asyncDispose]() {},
    };
  });
  type _ = Expect<Equal<typeof counter, DependencySpec<{ id: string; count: number }>>>;
  strictEqual(typeof counter.bind, "function");
});

Deno.test("provider() does not compile without get", () => {
  // @ts-expect-error Nothing would be injected.
  const spec = provider({ setup() {} });
  strictEqual(typeof spec.bind, "function");
});
