/** What a thread can ask the main thread that Enoki's own half would not, and the bounds of what it gets. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { readReply, type Reply } from "../../../extensions/cache/frame.ts";
import { cacheSettings } from "../../../extensions/cache/settings.ts";
import { cacheCounts } from "../../../extensions/cache/shared/counts.ts";
import { MemoryStore } from "../../../extensions/cache/shared/memory_store.ts";
import { SharedCache } from "../../../extensions/cache/shared/shared_cache.ts";
import { Section } from "../../../runtime/config/section.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { Metrics } from "../../../runtime/telemetry/metrics.ts";

const KEY = '"a';
const LIFE = { key: KEY, ttl: 60_000, staleFor: 0, tags: [] };

/** A cache as its threads see it. */
class Asked implements AsyncDisposable {
  readonly cache: SharedCache;
  readonly store: MemoryStore;
  evictions = 0;

  constructor(CACHE: PlainRecord = {}) {
    const settings = cacheSettings(new Section({ CACHE }));
    this.store = new MemoryStore(
      { entries: settings.maxEntries, bytes: settings.maxBytes },
      () => this.evictions++,
    );
    const counts = cacheCounts(new Metrics(), "s", "c");
    this.cache = new SharedCache({ store: this.store, counts, settings });
  }

  async ask(
    question: PlainRecord,
    text = "",
    signal?: AbortSignal,
  ): Promise<Reply & { readonly text: string }> {
    const [reply, value] = readReply(await this.cache.answer(`${JSON.stringify(question)}\n${text}`, signal));
    return { ...reply, text: value };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache[Symbol.asyncDispose]();
  }
}

function sizeOf({ store }: Asked): MemoryStore["size"] {
  return store.size;
}

const MALFORMED: Readonly<Record<string, unknown>> = {
  "no text": new Uint8Array(3),
  "no JSON": "{",
  "no object": "[]",
  "no such operation": { op: "steal" },
  "no key": { op: "get", flight: "a/1", limit: 1 },
  "a key that is too long": { op: "last", key: "x".repeat(4_097) },
  "a limit that is no number": { op: "get", flight: "a/1", key: KEY, limit: "1" },
  "a limit that is negative": { op: "get", flight: "a/1", key: KEY, limit: -1 },
  "an id that is too long": { op: "join", session: "x".repeat(101) },
  "a time that is not finite": '{"op":"set","key":"a","ttl":1e999,"staleFor":0,"tags":[]}',
  "too many tags": { op: "set", ...LIFE, tags: Array(17).fill("x") },
  "a tag that is too long": { op: "set", ...LIFE, tags: ["x".repeat(201)] },
  "too many keys": { op: "delete", keys: Array(101).fill("x"), tags: [] },
  "hits that are no number": { op: "count", hits: "5" },
  "a line that is too long": { op: "count", more: "x".repeat(1_000_000) },
};

Deno.test("a question out of form is refused", async () => {
  await using asked = new Asked();
  for (const [what, question] of Object.entries(MALFORMED)) {
    const body = question instanceof Uint8Array || typeof question === "string"
      ? question
      : JSON.stringify(question);
    await rejects(asked.cache.answer(body), /^TypeError: Cannot answer a question about a cache: /, what);
  }
  deepStrictEqual(asked.store.size, { entries: 0, bytes: 0 });
});

Deno.test("the entries and the bytes of a cache in memory are bounded", async () => {
  await using asked = new Asked({ max_entries: 10, max_bytes: 20_000 });
  for (let index = 0; index < 50; index++) await asked.ask({ op: "set", ...LIFE, key: `"${index}` }, "1");
  strictEqual(sizeOf(asked).entries, 10);
  strictEqual(asked.evictions, 40);
  for (let index = 0; index < 10; index++) {
    await asked.ask({ op: "set", ...LIFE, key: `"${index}` }, "x".repeat(4_000));
  }
  const { entries, bytes } = sizeOf(asked);
  ok(entries === 2 && bytes <= 20_000, `${entries} entries of ${bytes} bytes`);
});

Deno.test("the calls that wait for one value are bounded: one more loads it alone", async () => {
  await using asked = new Asked({ max_waiting: 2 });
  const get = (flight: string) => asked.ask({ op: "get", flight, key: KEY, limit: 60_000 });
  strictEqual((await get("t/1")).is, "load");
  const waiting = [get("t/2"), get("t/3")];
  strictEqual((await get("t/4")).is, "alone");
  await asked.ask({ op: "put", flight: "t/1", ...LIFE }, "7");
  deepStrictEqual((await Promise.all(waiting)).map(({ is, text }) => [is, text]), [["value", "7"], [
    "value",
    "7",
  ]]);
});

Deno.test("who has not got the task has no say in its value", async () => {
  await using asked = new Asked();
  const get = (flight: string) => asked.ask({ op: "get", flight, key: KEY, limit: 60_000 });
  strictEqual((await get("t/1")).is, "load");
  const put = await asked.ask({ op: "put", flight: "u/1", ...LIFE }, "7");
  ok(put.is === "put" && !put.stored);
  await asked.ask({ op: "fail", flight: "u/1" });
  const other = await asked.ask({ op: "put", flight: "t/1", ...LIFE, key: '"b' }, "7");
  ok(other.is === "put" && !other.stored);
  strictEqual((await asked.ask({ op: "last", key: KEY })).is, "none");
});

Deno.test("a thread that has gone hands over all its tasks, and gets none of its own back", async () => {
  await using asked = new Asked();
  const get = (flight: string, key: string, signal?: AbortSignal) =>
    asked.ask({ op: "get", flight, key, limit: 60_000 }, "", signal);
  const gone = new AbortController();
  const joined = asked.ask({ op: "join", session: "t" }, "", gone.signal);
  strictEqual((await get("t/1", KEY)).is, "load");
  strictEqual((await get("t/2", '"b')).is, "load");
  const own = rejects(get("t/3", KEY, gone.signal), { name: "AbortError" });
  const others = [get("u/1", KEY), get("u/2", '"b')];
  gone.abort();
  deepStrictEqual((await Promise.all(others)).map(({ is }) => is), ["load", "load"]);
  await joined;
  await own;
});

Deno.test("a thread hears of what has become invalid, and of everything if it has missed too much", async () => {
  await using asked = new Asked();
  const news = asked.ask({ op: "watch", since: 0 });
  await asked.ask({ op: "delete", keys: [KEY], tags: [] });
  deepStrictEqual(await news, { is: "news", version: 1, keys: [KEY], text: "" });
  await asked.ask({ op: "set", ...LIFE, key: '"b' }, "1");
  await asked.ask({ op: "set", ...LIFE, key: '"c' }, "1");
  deepStrictEqual(await asked.ask({ op: "watch", since: 1 }), {
    is: "news",
    version: 3,
    keys: ['"b', '"c'],
    text: "",
  });
  for (let index = 0; index < 1_000; index++) await asked.ask({ op: "delete", keys: [KEY], tags: [] });
  deepStrictEqual(await asked.ask({ op: "watch", since: 1 }), {
    is: "news",
    version: 1_003,
    keys: null,
    text: "",
  });
});

Deno.test("what waits in a cache ends with it", async () => {
  const asked = new Asked();
  const get = (flight: string) => asked.ask({ op: "get", flight, key: KEY, limit: 60_000 });
  strictEqual((await get("t/1")).is, "load");
  const waiting = [get("t/2"), asked.ask({ op: "join", session: "t" }), asked.ask({ op: "watch", since: 0 })];
  await asked[Symbol.asyncDispose]();
  deepStrictEqual((await Promise.all(waiting)).map(({ is }) => is), ["alone", "none", "news"]);
});
