import { notStrictEqual, strictEqual } from "node:assert/strict";
import type { Call } from "../../../runtime/service/call.ts";
import { type DependencyHost, provider } from "../../../runtime/service/dependency.ts";

const host = (service: string) => ({ service }) as DependencyHost;
const call = {} as Call;

Deno.test("provider() of an object gives every thread that object", () => {
  const clock = { get: () => 7 };
  const { bind } = provider(clock);
  strictEqual(bind(host("a")), clock);
  strictEqual(bind(host("b")), clock);
});

Deno.test("provider() of a function makes one for each thread, from its host", () => {
  const { bind } = provider(({ service }) => ({ get: () => service }));
  notStrictEqual(bind(host("a")), bind(host("a")));
  strictEqual(bind(host("a")).get(call), "a");
  strictEqual(bind(host("b")).get(call), "b");
});

Deno.test("provider() binds nothing by itself", () => {
  const spec = provider(() => {
    throw new Error("bound");
  });
  strictEqual(typeof spec.bind, "function");
});
