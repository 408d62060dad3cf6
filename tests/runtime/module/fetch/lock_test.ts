import assert from "node:assert/strict";
import { ModuleFetcher, type ModuleFetcherOptions } from "../../../../runtime/module/fetch/fetcher.ts";
import { ModuleLock } from "../../../../runtime/module/fetch/lock.ts";
import { ModuleOrigin, redirectTo, TestFolder } from "../../../fixtures/module_origin.ts";

const ONE = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
const TWO = "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35";

const READING = { mediaType: "ts", charset: "utf-8" } as const;

/** The entry of a module in the file. */
function entry(sha256: string, type = "ts", charset = "utf-8"): unknown {
  return { sha256, type, charset };
}

/** Serves text under a content type. */
function as(contentType: string, text: string): () => Response {
  return () => new Response(text, { headers: { "content-type": contentType } });
}

/** Loads as a process of its own does: nothing is remembered but on disk. */
async function load(url: string, options: ModuleFetcherOptions): Promise<string> {
  return (await new ModuleFetcher({ cache: false, ...options }).load(url)).text;
}

function lockIn(folder: TestFolder, mode: "record" | "check" = "record"): ModuleFetcherOptions {
  return { lock: { path: folder.file("services.lock"), mode } };
}

async function locked(folder: TestFolder): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(folder.file("services.lock")));
}

Deno.test("ModuleFetcher.load() records a new module, under all of its URLs", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/latest": redirectTo("/a.ts"), "/a.ts": "1" });
  await load(origin.url("/latest"), lockIn(folder));
  assert.deepEqual(await locked(folder), {
    version: 2,
    remote: { [origin.url("/a.ts")]: entry(ONE), [origin.url("/latest")]: entry(ONE) },
  });
});

Deno.test("ModuleFetcher.load() refuses a module that has changed since it was recorded", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), lockIn(folder));
  origin.set("/a.ts", "2");
  await assert.rejects(load(origin.url("/a.ts"), lockIn(folder)), {
    name: "ServiceLoadError",
    message: `Cannot load module ${origin.url("/a.ts")}: its sha256 is ${TWO}, ` +
      `and ${folder.file("services.lock")} has ${ONE}. ` +
      "If the change is wanted, delete its entry there and run again",
  });
});

Deno.test("ModuleFetcher.load() refuses a redirect that leads to other code than it did", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/latest": redirectTo("/v1.ts"), "/v1.ts": "1", "/v2.ts": "2" });
  await load(origin.url("/latest"), lockIn(folder));
  origin.set("/latest", redirectTo("/v2.ts"));
  await assert.rejects(load(origin.url("/latest"), lockIn(folder)), /\/latest: its sha256 is/);
  assert.deepEqual(Object.keys((await locked(folder) as { remote: object }).remote), [
    origin.url("/latest"),
    origin.url("/v1.ts"),
  ]);
});

Deno.test("ModuleFetcher.load() does not keep what the lock refuses", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), lockIn(folder));
  origin.set("/a.ts", "2");
  const cache = { folder: folder.file("cache") };
  await assert.rejects(load(origin.url("/a.ts"), { ...lockIn(folder), cache }));
  await assert.rejects(load(origin.url("/a.ts"), { cache, mode: "cached-only" }), /not in cache/);
});

Deno.test("ModuleFetcher.load() asks for nothing that a frozen lock does not have", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1", "/b.ts": "1" });
  await load(origin.url("/a.ts"), lockIn(folder));
  assert.equal(await load(origin.url("/a.ts"), lockIn(folder, "check")), "1");
  await assert.rejects(load(origin.url("/b.ts"), lockIn(folder, "check")), {
    name: "ServiceLoadError",
    message: `Cannot load module ${origin.url("/b.ts")}: it is not in ${folder.file("services.lock")}, ` +
      "and --frozen refuses new modules. Run once without --frozen to record it",
  });
  assert.deepEqual(origin.asked, ["/a.ts", "/a.ts"]);
});

Deno.test("ModuleFetcher.load() checks what is in the cache, too", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  const cache = { folder: folder.file("cache") };
  await load(origin.url("/a.ts"), { cache });
  origin.set("/a.ts", "2");
  await load(origin.url("/a.ts"), lockIn(folder));
  const cachedOnly = load(origin.url("/a.ts"), { ...lockIn(folder), cache, mode: "cached-only" });
  await assert.rejects(cachedOnly, new RegExp(`its sha256 is ${ONE}, and .* has ${TWO}`));
});

Deno.test("ModuleFetcher.load() fetches what the lock has where the cache has another version", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  const cache = { folder: folder.file("cache") };
  await load(origin.url("/a.ts"), { cache });
  origin.set("/a.ts", "2");
  await load(origin.url("/a.ts"), lockIn(folder));
  assert.equal(await load(origin.url("/a.ts"), { ...lockIn(folder), cache }), "2");
});

Deno.test("ModuleFetcher.load() locks no local module", async () => {
  await using folder = new TestFolder();
  await new ModuleFetcher(lockIn(folder, "check")).load(import.meta.url);
  await new ModuleFetcher(lockIn(folder, "check")).load("data:text/javascript,1");
});

Deno.test("ModuleFetcher.load() needs to write no lock file that has all", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), lockIn(folder));
  const { ino } = await Deno.stat(folder.file("services.lock"));
  await load(origin.url("/a.ts"), lockIn(folder));
  assert.equal((await Deno.stat(folder.file("services.lock"))).ino, ino);
});

Deno.test("ModuleFetcher.load() says what is wrong with the lock file", async () => {
  await using folder = new TestFolder();
  const url = "https://code.example/a.ts";
  await assert.rejects(load(url, lockIn(folder, "check")), /Cannot use lock file .*: no such file. Run once/);
  for (
    const text of [
      "{",
      "[]",
      '{"version":1,"remote":[]}',
      '{"version":3,"remote":{}}',
      '{"version":1,"remote":{"https://a":"x"}}',
    ]
  ) {
    await Deno.writeTextFile(folder.file("services.lock"), text);
    await assert.rejects(load(url, lockIn(folder)), /Cannot use lock file .*: it is not of the form/);
  }
});

Deno.test("ModuleFetcher.load() refuses the same bytes under another type or charset", async (test) => {
  const cases = [
    ["text/javascript", "js in utf-8"],
    ["application/json", "json in utf-8"],
    ["application/typescript; charset=iso-8859-1", "ts in windows-1252"],
  ] as const;
  for (const mode of ["record", "check"] as const) {
    for (const [contentType, found] of cases) {
      await test.step(`${contentType}, ${mode}`, async () => {
        await using folder = new TestFolder();
        await using origin = new ModuleOrigin({ "/a": as("application/typescript", "1") });
        await load(origin.url("/a"), lockIn(folder));
        origin.set("/a", as(contentType, "1"));
        await assert.rejects(load(origin.url("/a"), lockIn(folder, mode)), {
          name: "ServiceLoadError",
          message: `Cannot load module ${origin.url("/a")}: it was sent as ${found}, ` +
            `and ${folder.file("services.lock")} has ts in utf-8. ` +
            "If the change is wanted, delete its entry there and run again",
        });
      });
    }
  }
});

Deno.test("ModuleFetcher.load() takes another name of the same type and charset", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": as("text/plain", "1") });
  await load(origin.url("/a.ts"), lockIn(folder));
  for (const contentType of ["application/typescript", "text/typescript; charset=UTF8", "video/mp2t"]) {
    origin.set("/a.ts", as(contentType, "1"));
    assert.equal(await load(origin.url("/a.ts"), lockIn(folder, "check")), "1");
  }
});

Deno.test("ModuleFetcher.load() refuses a redirect that gives the same bytes another type", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/latest": redirectTo("/a.ts"), "/a.ts": as("text/plain", "1") });
  await load(origin.url("/latest"), lockIn(folder));
  origin.set("/latest", redirectTo("/a.js"));
  origin.set("/a.js", as("text/plain", "1"));
  await assert.rejects(load(origin.url("/latest"), lockIn(folder)), /it was sent as js in utf-8/);
});

Deno.test("ModuleFetcher.load() fetches what the lock has where the cache has another type", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a": as("text/javascript", "1") });
  const cache = { folder: folder.file("cache") };
  await load(origin.url("/a"), { cache });
  origin.set("/a", as("application/typescript", "1"));
  await load(origin.url("/a"), lockIn(folder));
  const cachedOnly = load(origin.url("/a"), { ...lockIn(folder), cache, mode: "cached-only" });
  await assert.rejects(cachedOnly, /it was sent as js in utf-8, and .* has ts in utf-8/);
  await load(origin.url("/a"), { ...lockIn(folder), cache });
  await load(origin.url("/a"), { ...lockIn(folder, "check"), cache, mode: "cached-only" });
});

Deno.test("ModuleFetcher.load() takes a lock file without types, and adds them unless it is frozen", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1", "/b.ts": "2" });
  const [a, b] = [origin.url("/a.ts"), origin.url("/b.ts")];
  const old = JSON.stringify({ version: 1, remote: { [a]: ONE, [b]: TWO } });
  await Deno.writeTextFile(folder.file("services.lock"), old);
  assert.equal(await load(a, lockIn(folder, "check")), "1");
  assert.equal(await Deno.readTextFile(folder.file("services.lock")), old);
  assert.equal(await load(a, lockIn(folder)), "1");
  assert.deepEqual(await locked(folder), { version: 2, remote: { [a]: entry(ONE), [b]: TWO } });
  origin.set("/b.ts", "1");
  await assert.rejects(load(b, lockIn(folder)), /its sha256 is/);
});

Deno.test("ModuleFetcher.load() starts although it cannot add types to a lock file that has all", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1", "/b.ts": "1" });
  const old = JSON.stringify({ version: 1, remote: { [origin.url("/a.ts")]: ONE } });
  // A name so long that no file with a longer one can be made beside it, not even by root.
  const lock = { path: folder.file("l".repeat(250)), mode: "record" } as const;
  await Deno.writeTextFile(lock.path, old);
  assert.equal(await load(origin.url("/a.ts"), { lock }), "1");
  assert.equal(await Deno.readTextFile(lock.path), old);
  await assert.rejects(load(origin.url("/b.ts"), { lock }), /Cannot write lock file .*Make it writable/);
});

Deno.test("ModuleFetcher.load() says that the lock file cannot be written", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  const lock = { path: folder.file("none/services.lock"), mode: "record" } as const;
  await assert.rejects(load(origin.url("/a.ts"), { lock }), /Cannot write lock file .*Make it writable/);
});

Deno.test("ModuleLock.settle() loses nothing of what is settled at once", async () => {
  await using folder = new TestFolder();
  const lock = new ModuleLock({ path: folder.file("services.lock"), mode: "record" });
  const urls = Array.from({ length: 40 }, (_, index) => `https://code.example/${100 + index}.ts`);
  await Promise.all(urls.map((url) => lock.settle([url], { sha256: ONE, reading: READING })));
  assert.deepEqual(await locked(folder), {
    version: 2,
    remote: Object.fromEntries(urls.map((url) => [url, entry(ONE)])),
  });
});

Deno.test("ModuleLock.settle() keeps what another has recorded meanwhile, and refuses what differs", async () => {
  await using folder = new TestFolder();
  const path = folder.file("services.lock");
  const [one, two] = [new ModuleLock({ path, mode: "record" }), new ModuleLock({ path, mode: "record" })];
  const [a, b, c] = ["https://code.example/a.ts", "https://code.example/b.ts", "https://code.example/c.ts"];
  for (const lock of [one, two]) assert.equal(await lock.expect(a), undefined);
  await one.settle([a, b], { sha256: ONE, reading: READING });
  await two.settle([c], { sha256: ONE, reading: READING });
  assert.deepEqual(await locked(folder), {
    version: 2,
    remote: { [a]: entry(ONE), [b]: entry(ONE), [c]: entry(ONE) },
  });
  const three = new ModuleLock({ path: folder.file("other.lock"), mode: "record" });
  assert.equal(await three.expect(a), undefined);
  await Deno.copyFile(path, folder.file("other.lock"));
  await assert.rejects(three.settle([a], { sha256: TWO, reading: READING }), /its sha256 is/);
});
