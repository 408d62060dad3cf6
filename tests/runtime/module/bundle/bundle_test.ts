import assert from "node:assert/strict";
import { ServiceLoadError } from "../../../../runtime/message/errors.ts";
import { importBundle } from "../../../../runtime/module/bundle/bundle_import.ts";
import { loadBundle } from "../../../../runtime/module/bundle/bundle.ts";
import type { ModuleFetcherOptions } from "../../../../runtime/module/fetch/fetcher.ts";
import { sha256Of } from "../../../../runtime/module/fetch/source.ts";
import type { ModuleBundle } from "../../../../runtime/channel/port.ts";
import { ModuleOrigin, TestFolder } from "../../../fixtures/module_origin.ts";

const MODULES = {
  "/a.ts": `export { value } from "./b.ts";`,
  "/b.ts": `export const value: string = "first";`,
};

function load(
  url: string,
  modules: ModuleFetcherOptions,
  options?: { readonly signal: AbortSignal },
): Promise<ModuleBundle> {
  return loadBundle({ url, modules, importMap: undefined, standalone: false }, options);
}

async function valueOf(bundle: ModuleBundle): Promise<unknown> {
  return (await importBundle(bundle)).exports["value"];
}

/** Writes another value into the one bundle that is kept, so that its use shows. */
async function markKept(folder: string): Promise<void> {
  const [{ name } = assert.fail("no bundle is kept")] = [...Deno.readDirSync(`${folder}/bundles`)];
  const path = `${folder}/bundles/${name}`;
  const text = (await Deno.readTextFile(path)).split("\n")[1]!.replace("first", "kept");
  await Deno.writeTextFile(path, `${await sha256Of(new TextEncoder().encode(text))}\n${text}`);
}

Deno.test("loadBundle() uses a bundle again that is kept, without asking the origin", async () => {
  await using folder = new TestFolder();
  const cache = { folder: folder.path };
  let url: string;
  {
    await using origin = new ModuleOrigin(MODULES);
    url = origin.url("/a.ts");
    assert.equal(await valueOf(await load(url, { cache })), "first");
  }
  await markKept(folder.path);
  assert.equal(await valueOf(await load(url, { cache })), "kept");
});

Deno.test("loadBundle() makes a new bundle when a module is not what it was", async () => {
  await using folder = new TestFolder();
  await using modules = new TestFolder();
  for (const [path, text] of Object.entries(MODULES)) await Deno.writeTextFile(modules.path + path, text);
  const url = `file://${modules.path}/a.ts`;
  const cache = { folder: folder.path };
  await load(url, { cache });
  await markKept(folder.path);
  await Deno.writeTextFile(modules.file("b.ts"), `export const value: string = "second";`);
  assert.equal(await valueOf(await load(url, { cache })), "second");
});

Deno.test("loadBundle() makes a new bundle with --reload, and where the kept one is damaged", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin(MODULES);
  const cache = { folder: folder.path };
  await load(origin.url("/a.ts"), { cache });
  await markKept(folder.path);
  assert.equal(await valueOf(await load(origin.url("/a.ts"), { cache, mode: "reload" })), "first");
  for (const { name } of Deno.readDirSync(folder.file("bundles"))) {
    const path = folder.file(`bundles/${name}`);
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("first", "other"));
  }
  assert.equal(await valueOf(await load(origin.url("/a.ts"), { cache })), "first");
});

Deno.test("loadBundle() holds a kept bundle to the lock file, too", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin(MODULES);
  const cache = { folder: folder.path };
  const lock = { path: folder.file("services.lock"), mode: "record" } as const;
  await load(origin.url("/a.ts"), { cache, lock });
  const recorded = await Deno.readTextFile(lock.path);
  const [, hash] = /b\.ts": {\s*"sha256": "([\da-f]{64})/.exec(recorded)!;
  await Deno.writeTextFile(lock.path, recorded.replace(hash!, "0".repeat(64)));
  await assert.rejects(load(origin.url("/a.ts"), { cache, lock }), ServiceLoadError);
});

Deno.test("loadBundle() uses no kept bundle and keeps none where there is a lock", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin(MODULES);
  const cache = { folder: folder.path };
  const path = folder.file("services.lock");
  const url = origin.url("/a.ts");
  await load(url, { cache, lock: { path, mode: "record" } });
  await assert.rejects(Deno.stat(folder.file("bundles")), Deno.errors.NotFound);
  await load(url, { cache });
  const [{ name } = assert.fail("no bundle is kept")] = [...Deno.readDirSync(folder.file("bundles"))];
  await markKept(folder.path);
  assert.equal(await valueOf(await load(url, { cache, lock: { path, mode: "check" } })), "first");
  assert.deepEqual([...Deno.readDirSync(folder.file("bundles"))].map((each) => each.name), [name]);
});

Deno.test("loadBundle() keeps nothing where nothing is to be kept", async () => {
  await using origin = new ModuleOrigin(MODULES);
  assert.equal(await valueOf(await load(origin.url("/a.ts"), { cache: false })), "first");
  assert.equal(
    await valueOf(await load(origin.url("/a.ts"), { cache: { folder: "/dev/null/none" } })),
    "first",
  );
});

Deno.test("loadBundle() rejects with the sentence of the process that bundles", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": `import "./none.ts";` });
  await assert.rejects(load(origin.url("/a.ts"), { cache: false }), (error: Error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(
      error.message,
      /^Cannot load module http:\S+\/none\.ts: .*404.*imported at http:\S+\/a\.ts:1:8/,
    );
    return true;
  });
});

Deno.test("loadBundle() stops the process that bundles when the signal aborts", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await using origin = new ModuleOrigin({
    "/a.ts": () => {
      asked.resolve();
      return answer.promise;
    },
  });
  const controller = new AbortController();
  const loading = load(origin.url("/a.ts"), { cache: false }, { signal: controller.signal });
  await asked.promise;
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(loading, reason);
  answer.resolve(new Response());
});
