import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { configureLogging, resetLogging } from "../../../runtime/log/observe.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";
import { type CacheStage, cacheStage, type ReadValue, THREADS } from "./cache_stage.ts";

/** A process with a cache, and the lines of its log. */
interface LoggedStage extends CacheStage {
  readonly lines: readonly string[];
}

type Law = (stage: LoggedStage) => Promise<void>;

/** What every store keeps. */
const LAWS: Readonly<Record<string, Law>> = {
  async "one thread loads a value, and all others wait for it"({ call, hold, loaded, release, loads }) {
    hold("a");
    const reads = Array.from({ length: THREADS }, () => call<ReadValue>("get", "a"));
    await loaded("a", 1);
    release("a");
    const read = await Promise.all(reads);
    deepStrictEqual(read.map(({ value }) => value), Array(THREADS).fill("a 1"));
    strictEqual(new Set(read.map(({ thread }) => thread)).size, THREADS);
    strictEqual(loads("a"), 1);
  },
  async "what is loaded once is read in all threads"({ call, readEverywhere, loads }) {
    await call("get", "b");
    const read = await readEverywhere("b");
    deepStrictEqual(read.map(({ value }) => value), Array(THREADS).fill("b 1"));
    strictEqual(loads("b"), 1);
  },
  async "a loader that fails fails for its caller, and the next one who waits loads"(stage) {
    const { call, hold, loaded, release, fail, mend } = stage;
    hold("c");
    fail("c");
    const first = call("get", "c");
    const failed = rejects(first, /RemoteError.*no c/);
    await loaded("c", 1);
    const second = call<ReadValue>("get", "c");
    await waits(stage);
    release("c");
    hold("c");
    await failed;
    await loaded("c", 2);
    mend("c");
    release("c");
    strictEqual((await second).value, "c 2");
  },
  async "a lost thread hands its task to one who waits"(stage) {
    const { call, hold, loaded, release } = stage;
    hold("d");
    const dying = rejects(call("die", "d"), { code: "WORKER_LOST" });
    await loaded("d", 1);
    const waiting = call<ReadValue>("get", "d");
    await waits(stage);
    release("d");
    await dying;
    strictEqual((await waiting).value, "d 2");
  },
  async "a loader that is too slow fails for its caller, and the next one who waits loads"(stage) {
    const { call, hold, loaded, release } = stage;
    hold("e");
    const slow = rejects(call("getQuick", "e"), {
      code: "TIMEOUT",
      message:
        'Cannot load "e" of cache "quick": its loader took longer than 300 ms. Let it be quicker, or raise loadLimit',
    });
    await loaded("e", 1);
    const waiting = call("getPatient", "e");
    await waits(stage, "quick");
    await slow;
    await loaded("e", 2);
    release("e");
    strictEqual(await waiting, "e 2");
  },
  async "one who waits gives up when its own time is over, and the loading goes on"(stage) {
    const { call, hold, loaded, release, loads } = stage;
    hold("f");
    const loading = call<ReadValue>("get", "f");
    await loaded("f", 1);
    await rejects(call("get", "f", { patience: 30 }), /TimeoutError|timed out/i);
    release("f");
    strictEqual((await loading).value, "f 1");
    strictEqual((await call<ReadValue>("get", "f")).value, "f 1");
    strictEqual(loads("f"), 1);
  },
  async "a value is loaded again when its time is over"({ call, loads }) {
    strictEqual((await call<ReadValue>("get", "g", { ttl: 50 })).value, "g 1");
    while ((await call<ReadValue>("get", "g", { ttl: 50 })).value === "g 1");
    ok(loads("g") > 1);
  },
  async "a stale value is served while one thread loads it again"({ call, hold, loaded, release, loads }) {
    const how = { ttl: 1, staleFor: 600_000 };
    await call("get", "h", how);
    hold("h");
    while (loads("h") < 2) strictEqual((await call<ReadValue>("get", "h", how)).value, "h 1");
    await loaded("h", 2);
    const meanwhile = await Promise.all(
      Array.from({ length: 10 }, () => call<ReadValue>("get", "h", how)),
    );
    deepStrictEqual(meanwhile.map(({ value }) => value), Array(10).fill("h 1"));
    strictEqual(loads("h"), 2);
    release("h");
    while ((await call<ReadValue>("get", "h", how)).value === "h 1");
  },
  async "what one thread deletes, all others load again"({ call, readEverywhere, loads }) {
    await readEverywhere("i");
    await call("delete", "i");
    // The others hear of it a moment later; they would keep the value for ten minutes.
    let read: readonly ReadValue[];
    do read = await readEverywhere("i"); while (read.some(({ value }) => value === "i 1"));
    deepStrictEqual(read.map(({ value }) => value), Array(THREADS).fill("i 2"));
    strictEqual(loads("i"), 2);
  },
  async "what was being loaded when it was deleted is not kept"({ call, hold, loaded, release }) {
    hold("j");
    const loading = call<ReadValue>("get", "j");
    await loaded("j", 1);
    await call("delete", "j");
    release("j");
    strictEqual((await loading).value, "j 1");
    strictEqual((await call<ReadValue>("get", "j")).value, "j 2");
  },
  async "values are deleted by a tag, also while they are being loaded"(stage) {
    const { call, readEverywhere, hold, loaded, release } = stage;
    await call("get", "k", { tags: ["red", "blue"] });
    await call("get", "l", { tags: ["blue"] });
    await readEverywhere("k");
    hold("m");
    const loading = call("get", "m", { tags: ["red"] });
    await loaded("m", 1);
    await call("deleteTagged", "red");
    release("m");
    await loading;
    while ((await readEverywhere("k")).some(({ value }) => value === "k 1"));
    strictEqual((await call<ReadValue>("get", "l")).value, "l 1");
    strictEqual((await call<ReadValue>("get", "m")).value, "m 2");
  },
  async "a value that is set replaces what is there and what is being loaded"(stage) {
    const { call, readEverywhere, hold, loaded, release } = stage;
    await readEverywhere("n");
    hold("o");
    const loading = call("get", "o");
    await loaded("o", 1);
    await call("set", "n", "set");
    await call("set", "o", "set");
    release("o");
    await loading;
    while ((await readEverywhere("n")).some(({ value }) => value !== "set"));
    strictEqual((await call<ReadValue>("get", "o")).value, "set");
  },
  async "clear() deletes all values in all threads"({ call, readEverywhere }) {
    await readEverywhere("p");
    await call("clear");
    while ((await readEverywhere("p")).some(({ value }) => value !== "p 2"));
  },
  async "each caller gets a copy of its own, as JSON has it"({ call }) {
    deepStrictEqual(await call("copies", "q"), [{ list: [1] }, { list: [1] }]);
    deepStrictEqual(await call("dated"), { at: "1970-01-01T00:00:00.000Z" });
  },
  async "a value that is too large is given, and not kept"({ call, hold, loaded, release, loads, count }) {
    hold("r");
    const reads = Array.from({ length: THREADS }, () => call<number>("large", "r"));
    await loaded("r", 1);
    release("r");
    deepStrictEqual(await Promise.all(reads), Array(THREADS).fill(600_000));
    strictEqual(await call("large", "r"), 600_000);
    strictEqual(loads("r"), THREADS + 1);
    ok(await count("enoki_cache_reads_total", { cache: "cache", result: "miss" }) > 0);
  },
  async "reads are counted by what they found"({ call, readEverywhere, count }) {
    const counts = () =>
      Promise.all(
        ["miss", "shared", "waited", "near"].map((result) =>
          count("enoki_cache_reads_total", { cache: "cache", result })
        ),
      );
    // A thread tells of its own hits with its next question.
    await readEverywhere("flush 1");
    const before = await counts();
    await call("get", "ee");
    await readEverywhere("ee");
    await readEverywhere("ee");
    await readEverywhere("flush 2");
    const [miss, shared, waited, near] = (await counts()).map((value, index) => value - before[index]!);
    deepStrictEqual([miss, shared! + waited!, near], [2, 2 * (THREADS - 1), 1 + THREADS]);
  },
  async "another service with a cache of the same name has values of its own"({ call, cluster }) {
    strictEqual((await call<ReadValue>("get", "s")).value, "s 1");
    strictEqual(await cluster.client("enoki_test_cache_other")["get"]!("s"), "s 2");
  },
  async "a call is made once for the same arguments, keyword arguments and context data"({ call, loads }) {
    deepStrictEqual([await call("call", "t"), await call("call", "t")], ["t 1", "t 1"]);
    strictEqual(await call("call", "t", { named: true }), "t 2");
    strictEqual(await call("call", "t", { headers: { language: "de" } }), "t 3");
    strictEqual(await call("call", "t", { headers: { other: "x" } }), "t 1");
    strictEqual(await call("call", "t", { headers: { language: "de" } }), "t 3");
    strictEqual(loads("t"), 3);
  },
  async "a result is forgotten on request"({ call }) {
    strictEqual(await call("call", "u"), "u 1");
    await call("forget", "u");
    strictEqual(await call("call", "u"), "u 2");
  },
  async "the last good result stands in for a call that fails"({ call, fail, mend, count, lines }) {
    strictEqual(await call("callBacked", "v"), "v 1");
    strictEqual(await call("callBacked", "v"), "v 2");
    fail("v");
    strictEqual(await call("callBacked", "v"), "v 2");
    mend("v");
    strictEqual(await call("callBacked", "v"), "v 4");
    strictEqual(await count("enoki_cache_fallbacks_total", { cache: "backed" }), 1);
    ok(
      lines.some((line) =>
        line.includes(
          'Answered a call of "enoki_test_cache_source.load" with its last good result: Error no v',
        )
      ),
      lines.join("\n"),
    );
  },
  async "a failure without a good result before it is the caller's, and so is one that is expected"(stage) {
    const { call, fail } = stage;
    fail("w");
    await rejects(call("callBacked", "w"), /no w/);
    await rejects(call("callBacked", "x", true), /RefusedError not for you/);
    await rejects(call("lone", "y"), /UnknownService/);
  },
  async "the last good result stands in for a call that takes too long, which goes on"(stage) {
    const { call, hold, loaded, release } = stage;
    strictEqual(await call("slow", "z"), "z 1");
    hold("z");
    strictEqual(await call("slow", "z"), "z 1");
    await loaded("z", 2);
    release("z");
    hold("z");
    // The slow call has left its result for the next one.
    while (await call("slow", "z") === "z 1");
    release("z");
  },
};

/** What several processes keep that share a Redis. */
const LAWS_OF_PROCESSES: Readonly<Record<string, (one: LoggedStage, other: CacheStage) => Promise<void>>> = {
  async "one process loads a value, and the others read it"(one, other) {
    one.hold("aa");
    const loading = one.call<ReadValue>("get", "aa");
    await one.loaded("aa", 1);
    const waiting = other.call<ReadValue>("get", "aa");
    await waits(other);
    one.release("aa");
    deepStrictEqual([(await loading).value, (await waiting).value], ["aa 1", "aa 1"]);
    deepStrictEqual([one.loads("aa"), other.loads("aa")], [1, 0]);
  },
  async "what one process deletes while another loads it is not kept"(one, other) {
    one.hold("bb");
    const loading = one.call<ReadValue>("get", "bb");
    await one.loaded("bb", 1);
    await other.call("delete", "bb");
    one.release("bb");
    await loading;
    strictEqual((await other.call<ReadValue>("get", "bb")).value, "bb 1");
    strictEqual(other.loads("bb"), 1);
  },
};

/** Resolves when so many wait for a value that another one loads. */
async function waits({ count }: CacheStage, cache = "cache", many = 1): Promise<void> {
  while (await count("enoki_cache_waiting", { cache }) < many);
}

/** Runs the laws over one store. */
async function testStore(
  test: Deno.TestContext,
  config: PlainRecord,
  more: (stage: LoggedStage) => Promise<void> = async () => {},
): Promise<void> {
  const lines: string[] = [];
  configureLogging({ write: (line) => lines.push(line) });
  try {
    await using stage = await cacheStage(config);
    const logged = { ...stage, lines };
    for (const [name, law] of Object.entries(LAWS)) await test.step(name, () => law(logged));
    await more(logged);
  } finally {
    resetLogging();
  }
}

Deno.test("a cache in memory", (test) => testStore(test, {}));

Deno.test("a cache in Redis", async (test) => {
  await using redis = await PrivateRedis.open();
  if (redis === undefined) return;
  // Nothing here is to depend on how quick the machine is.
  const config = { CACHE: { store: redis.uri, redis_timeout: 60 } };
  await testStore(test, config, async (stage) => {
    {
      await using other = await cacheStage(config);
      for (const [name, law] of Object.entries(LAWS_OF_PROCESSES)) {
        await test.step(name, () => law(stage, other));
      }
    }
    await test.step("a Redis that is away makes the cache miss, and fails no call", () =>
      loseRedis(redis, stage));
  });
});

async function loseRedis(redis: PrivateRedis, stage: LoggedStage): Promise<void> {
  const { call, hold, loaded, release, loads, count, lines } = stage;
  await call("getPatient", "cc");
  strictEqual(await call("getPatient", "cc"), "cc 1");
  await redis.kill();
  strictEqual(await call("getPatient", "cc"), "cc 2");
  await call("set", "dd", "set");
  await call("delete", "dd");
  // The threads of this process still load a value once.
  hold("cc");
  const reads = Array.from({ length: THREADS }, () => call("getPatient", "cc"));
  await loaded("cc", 3);
  await waits(stage, "quick", THREADS - 1);
  release("cc");
  deepStrictEqual(await Promise.all(reads), Array(THREADS).fill("cc 3"));
  ok(await count("enoki_cache_failures_total", { cache: "quick" }) > 0);
  const told = lines.filter((line) => line.includes('Cannot use the cache "quick": Cannot run '));
  strictEqual(told.length, 1, lines.join("\n"));
  await redis.start();
  const before = loads("cc");
  let value: unknown;
  do value = await call("getPatient", "cc"); while (await call("getPatient", "cc") !== value);
  ok(loads("cc") > before);
}
