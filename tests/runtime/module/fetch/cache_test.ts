import assert from "node:assert/strict";
import { defaultCacheFolder, ModuleCache } from "../../../../runtime/module/fetch/cache.ts";
import { ModuleFetcher, type ModuleFetcherOptions } from "../../../../runtime/module/fetch/fetcher.ts";
import { ModuleOrigin, redirectTo, TestFolder } from "../../../fixtures/module_origin.ts";

/** Loads as a process of its own does: nothing is remembered but on disk. */
async function load(url: string, options: ModuleFetcherOptions): Promise<string> {
  return (await new ModuleFetcher(options).load(url)).text;
}

function cacheIn(folder: TestFolder): { readonly cache: { readonly folder: string } } {
  return { cache: { folder: folder.file("cache") } };
}

async function contentFiles(folder: TestFolder): Promise<readonly string[]> {
  const files = await Array.fromAsync(Deno.readDir(folder.file("cache/content")));
  return files.map(({ name }) => folder.file(`cache/content/${name}`));
}

Deno.test("ModuleFetcher.load() does not ask again for what is in the cache", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), cacheIn(folder));
  origin.set("/a.ts", "2");
  assert.equal(await load(origin.url("/a.ts"), cacheIn(folder)), "1");
  assert.equal(origin.requests.length, 1);
});

Deno.test("ModuleFetcher.load() works from the cache while the origin is down, redirects and types included", async () => {
  await using folder = new TestFolder();
  const origin = new ModuleOrigin({ "/latest": redirectTo("/v1"), "/v1": "const one: number = 1;" });
  const url = origin.url("/latest");
  const before = await new ModuleFetcher(cacheIn(folder)).load(url);
  await origin[Symbol.asyncDispose]();
  assert.deepEqual(await new ModuleFetcher(cacheIn(folder)).load(url), before);
  assert.equal(await load(origin.url("/v1"), cacheIn(folder)), before.text);
});

Deno.test("ModuleFetcher.load() fetches anew in mode reload, and keeps what it gets", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), cacheIn(folder));
  origin.set("/a.ts", "2");
  assert.equal(await load(origin.url("/a.ts"), { ...cacheIn(folder), mode: "reload" }), "2");
  assert.equal(await load(origin.url("/a.ts"), cacheIn(folder)), "2");
});

Deno.test("ModuleFetcher.load() never fetches in mode cached-only", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1", "/b.ts": "1" });
  await load(origin.url("/a.ts"), cacheIn(folder));
  const options: ModuleFetcherOptions = { ...cacheIn(folder), mode: "cached-only" };
  assert.equal(await load(origin.url("/a.ts"), options), "1");
  await assert.rejects(load(origin.url("/b.ts"), options), {
    name: "ServiceLoadError",
    message: `Cannot load module ${origin.url("/b.ts")}: it is not in cache ${folder.file("cache")}, ` +
      "and --cached-only never fetches. Run once without it",
  });
  assert.deepEqual(origin.asked, ["/a.ts"]);
});

Deno.test("ModuleFetcher.load() says in mode cached-only that there is no cache", async () => {
  const load = new ModuleFetcher({ cache: false, mode: "cached-only" }).load("https://code.example/a.ts");
  await assert.rejects(load, /there is no cache, and --cached-only never fetches. Set ENOKI_CACHE/);
});

Deno.test("ModuleFetcher.load() fetches again what is damaged in the cache", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), cacheIn(folder));
  for (const file of await contentFiles(folder)) await Deno.writeTextFile(file, "evil()");
  assert.equal(await load(origin.url("/a.ts"), cacheIn(folder)), "1");
  assert.equal(origin.requests.length, 2);
  assert.equal(await load(origin.url("/a.ts"), cacheIn(folder)), "1");
  assert.equal(origin.requests.length, 2);
});

Deno.test("ModuleFetcher.load() fetches again what has a damaged entry", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  await load(origin.url("/a.ts"), cacheIn(folder));
  for await (const { name } of Deno.readDir(folder.file("cache/entries"))) {
    await Deno.writeTextFile(folder.file(`cache/entries/${name}`), '{"requested":');
  }
  assert.equal(await load(origin.url("/a.ts"), cacheIn(folder)), "1");
});

Deno.test("ModuleFetcher.load() does not take from the cache what came from a host that is not allowed now", async () => {
  await using folder = new TestFolder();
  await using elsewhere = new ModuleOrigin({ "/b.ts": "1" });
  await using origin = new ModuleOrigin({ "/a.ts": redirectTo(elsewhere.url("/b.ts")) });
  await load(origin.url("/a.ts"), cacheIn(folder));
  const options = { ...cacheIn(folder), allowImport: [origin.host] };
  await assert.rejects(load(origin.url("/a.ts"), options), { name: "ServiceLoadError" });
});

Deno.test("ModuleFetcher.load() works with a cache that cannot be written", async () => {
  await using folder = new TestFolder();
  await Deno.writeTextFile(folder.file("cache"), "a file where the folder should be");
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  assert.equal(await load(origin.url("/a.ts"), cacheIn(folder)), "1");
});

Deno.test("ModuleCache.write() leaves whole files and no others, however many write at once", async () => {
  await using folder = new TestFolder();
  const content = {
    url: "https://code.example/a.ts",
    contentType: "text/typescript",
    bytes: new Uint8Array([49]),
  };
  const sha256 = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
  const caches = Array.from({ length: 8 }, () => new ModuleCache(folder.file("cache")));
  await Promise.all(caches.map((cache) => cache.write(content.url, { ...content, sha256 })));
  assert.deepEqual(await contentFiles(folder), [folder.file(`cache/content/${sha256}`)]);
  assert.deepEqual(await caches[0]!.read(content.url), { ...content, sha256 });
});

Deno.test("defaultCacheFolder() asks ENOKI_CACHE, then XDG_CACHE_HOME, then HOME", () => {
  const folder = (env: Record<string, string>) => defaultCacheFolder(new Map(Object.entries(env)) as never);
  const home = { HOME: "/home/ada" };
  assert.equal(folder({ ...home, XDG_CACHE_HOME: "/c", ENOKI_CACHE: "/own" }), "/own/modules");
  assert.equal(folder({ ...home, XDG_CACHE_HOME: "/c", ENOKI_CACHE: "" }), "/c/enoki/modules");
  assert.equal(folder({ ...home, XDG_CACHE_HOME: "not/absolute" }), "/home/ada/.cache/enoki/modules");
  assert.equal(folder({}), undefined);
});

Deno.test("defaultCacheFolder() is none where the environment must not be read", () => {
  const env = {
    get(name: string): never {
      throw new Deno.errors.NotCapable(name);
    },
  };
  assert.equal(defaultCacheFolder(env), undefined);
});
