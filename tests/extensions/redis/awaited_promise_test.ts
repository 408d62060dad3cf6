import { deepStrictEqual, equal, rejects } from "node:assert/strict";
import { AwaitedPromise } from "../../../extensions/redis/awaited_promise.ts";

Deno.test("a promise knows whether somebody waits for it, and its failure is nobody's if nobody does", async () => {
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", note);
  try {
    let awaited = 0;
    const watch = (value: Promise<unknown>) => AwaitedPromise.watching(value, () => awaited++);
    const forgotten = watch(Promise.reject(new Error("forgotten")));
    await new Promise((resolve) => setTimeout(resolve));
    deepStrictEqual([unhandled, awaited], [[], 0]);
    await rejects(async () => await forgotten, { message: "forgotten" });
    equal(awaited, 1);
    equal(await watch(Promise.resolve(1)), 1);
    deepStrictEqual(await Promise.all([watch(Promise.resolve(2))]), [2]);
    equal(awaited, 3);
    // What is made of it is an ordinary promise.
    const derived = watch(Promise.reject(new Error("derived"))).then(() => {});
    await new Promise((resolve) => setTimeout(resolve));
    equal(unhandled.length, 1);
    await derived.catch(() => {});
  } finally {
    globalThis.removeEventListener("unhandledrejection", note);
  }
});
