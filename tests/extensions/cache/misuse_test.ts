/** What is printed where somebody uses a cache wrongly. */
import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { cache, cachedClient, type CachedClientOptions } from "../../../extensions/cache/mod.ts";
import { run } from "../../../extensions/run.ts";
import { rpc, service } from "../../../mod.ts";
import { configureLogging, resetLogging } from "../../../runtime/log/observe.ts";
import { memory } from "../../../extensions/memory/mod.ts";
import { cacheStage } from "./cache_stage.ts";

const OPTIONS: readonly (readonly [unknown, RegExp])[] = [
  [
    { ttl: -5 },
    /^RangeError: Cannot use a cache: ttl is -5\. Use a positive number of milliseconds, up to a year, or a text such as/,
  ],
  [{ ttl: 0 }, /ttl is 0\./],
  [{ staleFor: -1 }, /staleFor is -1\./],
  [{ tll: 5 }, /^TypeError: Cannot use a cache: there is no option "tll"\. The options are name, store, /],
  [{ store: "disk" }, /its store is "disk"\. Use "memory" or "redis"$/],
  [{ name: "a b" }, /its name is no name\. Use up to 100 letters, digits, dots and dashes$/],
  [
    { near: { size: 5 } },
    /near of a cache: there is no option "size"\. The options are entries, bytes, for$/,
  ],
  [{ near: { entries: 0 } }, /near\.entries is 0\. Use an integer, 1 or more$/],
  [{ loadLimit: Infinity }, /loadLimit is Infinity\./],
];

Deno.test("a cache refuses options that make no sense, with a sentence", () => {
  for (const [options, expected] of OPTIONS) {
    throws(() => cache(options as never), (error) => says(error, expected));
  }
});

const CLIENT_OPTIONS: readonly (readonly [unknown, RegExp])[] = [
  [{}, /^TypeError: Cannot use the cached client of "prices": its methods are undefined\. Name the methods/],
  [{ methods: [] }, /its methods are \[\]\. Name the methods/],
  [
    { methods: ["of"] },
    /"prices\.of" in a cached client: it has neither first nor fallback\. Give first: \{ ttl \}/,
  ],
  [{ methods: ["of"], first: {}, fallback: { for: 5 } }, /it has both first and fallback\./],
  [{ methods: ["of"], first: true }, /its first is true\. Use an object$/],
  [{ methods: ["of"], first: { ttl: -1 } }, /^RangeError: .*ttl is -1\./],
  [{ methods: ["of"], first: { for: 1 } }, /there is no option "for"\. The options are ttl, staleFor$/],
  [{ methods: ["of"], fallback: {} }, /fallback\.for is undefined\./],
  [{ methods: { of: 5 }, first: {} }, /"prices\.of" in a cached client: it is 5\. Use an object, or true$/],
  [
    { methods: ["of"], first: {}, varyBy: "language" },
    /its varyBy is "language"\. Use names of context data$/,
  ],
  [{ methods: ["of"], first: {}, ttl: 5 }, /there is no option "ttl"\./],
];

Deno.test("a cached client refuses options that make no sense, with a sentence", () => {
  for (const [options, expected] of CLIENT_OPTIONS) {
    throws(
      () => cachedClient("prices", options as CachedClientOptions<unknown>),
      (error) => says(error, expected),
    );
  }
});

const MISUSES: readonly RegExp[] = [
  /^TypeError: Cannot get a value of cache "cache": there is no loader\. Pass a function that loads the value: /,
  /^RangeError: Cannot use cache "cache": ttl is -5\. Use a positive number of milliseconds, up to a year, or a text such as/,
  /^RangeError: Cannot use cache "cache": ttl is NaN\./,
  /^RangeError: Cannot use cache "cache": ttl is "1 sec"\./,
  /^RangeError: Cannot use cache "cache": staleFor is -1\./,
  /^TypeError: Cannot use cache "cache": there is no option "lifetime"\. The options are ttl, staleFor, tags, signal$/,
  /^TypeError: Cannot use cache "cache": its tags are "x"\. Use up to 16 texts of up to 200 characters$/,
  /^TypeError: Cannot use undefined as the key of a cached value: pass a text or plain data$/,
  /^TypeError: Cannot write NaN at "at" as JSON: /,
  /^RangeError: Cannot use a key of 5001 characters for a cached value: it may have 4096\. /,
  /^TypeError: Cannot cache "b" of cache "cache": Cannot write a function at "deep\[0\]" as JSON: /,
  /^TypeError: Cannot write NaN as JSON: /,
  /^RangeError: Cannot set "a" of cache "cache": it has 1200004 bytes, and may have 1048576\. Cache less of it, or raise CACHE\.max_value_bytes$/,
  /^TypeError: Cannot forget a result of "enoki_test_cache_source\.meet": it is not cached\. Name it in methods/,
];

Deno.test("a handler that uses a cache wrongly is told what is wrong", async () => {
  const lines: string[] = [];
  configureLogging({ write: (line) => lines.push(line) });
  try {
    await using stage = await cacheStage();
    const errors = await stage.call<readonly string[]>("misuse");
    strictEqual(errors.length, MISUSES.length);
    for (const [index, expected] of MISUSES.entries()) match(errors[index]!, expected);
    await Promise.all(["a", "b", "c"].map((key) => stage.call("large", key)));
    const told = lines.filter((line) => line.includes('of cache "cache": it has 1200004 bytes'));
    deepStrictEqual(told.length >= 1 && told.length <= 3, true, lines.join("\n"));
  } finally {
    resetLogging();
  }
});

Deno.test("two caches of one name with different stores are refused at the start", async () => {
  configureLogging({ write: () => {} });
  try {
    const confused = service("enoki_test_cache_confused", {
      dependencies: { a: cache({ name: "x", store: "memory" }), b: cache({ name: "x", store: "redis" }) },
      entrypoints: { hello: rpc() },
      handlers: { hello: () => "hello" },
    });
    await rejects(run([confused], { broker: memory() }), {
      name: "ConfigurationError",
      message:
        'Cannot serve service "enoki_test_cache_confused": its dependencies "a" and "b" share the cache "x", and ' +
        "name different stores. Name the same store, or give one of them another name",
    });
  } finally {
    resetLogging();
  }
});

function says(error: unknown, expected: RegExp): boolean {
  match(String(error), expected);
  return true;
}
