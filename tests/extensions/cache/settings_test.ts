import { deepStrictEqual, throws } from "node:assert/strict";
import { cacheSettings } from "../../../extensions/cache/settings.ts";
import { Section } from "../../../runtime/config/section.ts";
import type { Plain } from "../../../runtime/message/plain.ts";

function read(CACHE: Plain) {
  return cacheSettings(new Section({ CACHE }));
}

const DEFAULTS = {
  store: "memory",
  maxEntries: 10_000,
  maxBytes: 64 * 1024 * 1024,
  maxValueBytes: 1024 * 1024,
  maxWaiting: 1_000,
  redisTimeout: 500,
  namespace: "enoki",
};

Deno.test("CACHE is a store, or a mapping, and each key has a default", () => {
  deepStrictEqual(cacheSettings(new Section({})), DEFAULTS);
  deepStrictEqual(read("redis://localhost:6379/1"), { ...DEFAULTS, store: "redis://localhost:6379/1" });
  deepStrictEqual(
    read({
      store: "memory",
      max_entries: 1,
      max_bytes: 2,
      max_value_bytes: 3,
      max_waiting: 4,
      redis_timeout: 0.005,
      namespace: "n",
    }),
    {
      store: "memory",
      maxEntries: 1,
      maxBytes: 2,
      maxValueBytes: 3,
      maxWaiting: 4,
      redisTimeout: 5,
      namespace: "n",
    },
  );
});

Deno.test("a value of CACHE that makes no sense is refused, without its password", () => {
  throws(
    () => read("disk"),
    /Cannot use config key "CACHE": got "disk", expected memory, redis or redis:\/\/host:6379/,
  );
  throws(() => read(["memory"]), /Cannot use config key "CACHE"/);
  throws(() => read({ max_entries: 0 }), /"CACHE\.max_entries": got 0, expected an integer, 1 or more/);
  throws(
    () => read({ redis_timeout: 0 }),
    /"CACHE\.redis_timeout": got 0, expected a number of seconds, 0\.001 or more/,
  );
  throws(() => read({ namespace: "a b" }), /"CACHE\.namespace"/);
  throws(() => read({ entries: 5 }), /"CACHE\.entries": got 5, expected nothing: the keys here are store, /);
  throws(() => read("http://user:secret@host"), (error: Error) => !error.message.includes("secret"));
});
