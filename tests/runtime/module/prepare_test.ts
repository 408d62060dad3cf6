import assert from "node:assert/strict";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import type { ModuleBundle } from "../../../runtime/channel/port.ts";
import {
  type PreparedModule,
  prepareModule,
  type PrepareModuleOptions,
} from "../../../runtime/module/prepare.ts";
import { ModuleOrigin, TestFolder } from "../../fixtures/module_origin.ts";

const OPTIONS: PrepareModuleOptions = { modules: { cache: false } };

/** Prepares `a.ts` of a folder with these files. */
async function prepare(
  files: Readonly<Record<string, string>>,
  options: PrepareModuleOptions = {},
): Promise<PreparedModule & { readonly folder: string }> {
  await using folder = new TestFolder();
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(folder.file(name), text);
  return {
    ...await prepareModule(`file://${folder.file("a.ts")}`, { ...OPTIONS, ...options }),
    folder: folder.path,
  };
}

function codeOf({ source }: PreparedModule): string {
  return typeof source === "object" && "code" in source ? source.code : assert.fail("it is not bundled");
}

/** What a thread gets for a module that Deno loads: its URL, and its files. */
function addressOf(url: string, folder: string, ...names: readonly string[]): PreparedModule["source"] {
  return { url, files: names.map((name) => `${folder}/${name}`) };
}

Deno.test("prepareModule() leaves a local module to Deno, and finds the files that it needs", async () => {
  const { url, source, needs, folder } = await prepare({
    "a.ts": `import "./b.ts"; import type { C } from "./c.ts"; void import("./d.ts");`,
    "b.ts": "",
    "c.ts": "export type C = 1;",
    "d.ts": "",
  });
  assert.deepEqual(source, addressOf(url, folder, "a.ts", "b.ts", "d.ts"));
  const own = needs!.read.filter((path) => path.startsWith(folder));
  assert.deepEqual(own.map((path) => path.slice(folder.length)).sort(), ["/a.ts", "/b.ts", "/d.ts"]);
});

Deno.test("prepareModule() leaves a module in a data: URL to Deno", async () => {
  const url = `data:text/typescript,import "@enoki/enoki";`;
  assert.equal((await prepareModule(url, OPTIONS)).source, url);
});

Deno.test("prepareModule() bundles a local module that imports one from the network", async () => {
  await using origin = new ModuleOrigin({ "/b.ts": `export const b = "from the network";` });
  const prepared = await prepare({ "a.ts": `export { b } from "${origin.url("/b.ts")}";` });
  assert.match(codeOf(prepared), /from the network/);
});

Deno.test("prepareModule() bundles no module for a type from the network", async () => {
  await using origin = new ModuleOrigin();
  const { url, source, folder } = await prepare({
    "a.ts": `import type { B } from "${origin.url("/b.ts")}"; let b: B;`,
  });
  assert.deepEqual(source, addressOf(url, folder, "a.ts"));
  assert.deepEqual(origin.asked, []);
});

Deno.test("prepareModule() bundles a local module where that is wanted", async () => {
  const prepared = await prepare({
    "a.ts": `export * from "./b.ts";`,
    "b.ts": `export const b: number = 17;`,
  }, {
    bundle: true,
  });
  assert.match(codeOf(prepared), /b = 17/);
});

Deno.test("prepareModule() resolves by the module's own deno.json, which is not that of the program", async () => {
  const prepared = await prepare({
    "a.ts": `export * from "tool";`,
    "deno.json": `{ "imports": { "tool": "./tool.ts" } }`,
    "tool.ts": `export const tool: number = 17;`,
  });
  assert.match(codeOf(prepared), /tool = 17/);
});

Deno.test("prepareModule() takes the module's own meaning of a name that the program has, too", async () => {
  const prepared = await prepare({
    "a.ts": `export { z } from "zod";`,
    "deno.json": `{ "imports": { "zod": "./fake.ts" } }`,
    "fake.ts": `export const z: number = 17;`,
  });
  assert.match(codeOf(prepared), /z = 17/);
});

Deno.test("prepareModule() refuses a name that the program has, and the module's own deno.json has not", async () => {
  await assert.rejects(
    prepare({ "a.ts": `export { z } from "zod";`, "deno.json": `{ "imports": { "tool": "./a.ts" } }` }),
    /^ServiceLoadError: Cannot resolve "zod": no import map and no package.json has that name/,
  );
});

Deno.test("prepareModule() takes a name from the package.json above the module, whatever the program means by it", async () => {
  const { source } = await prepare({
    "a.ts": `export { z } from "zod";`,
    "package.json": `{ "dependencies": { "zod": "^3.25.0" } }`,
  });
  assert.deepEqual((source as ModuleBundle).packages, ["npm:zod@^3.25.0"]);
});

Deno.test("prepareModule() takes a name from the deno.json, where a package.json has it, too", async () => {
  const prepared = await prepare({
    "a.ts": `export { z } from "zod";`,
    "z.ts": `export const z = 17;`,
    "deno.json": `{ "imports": { "zod": "./z.ts" } }`,
    "package.json": `{ "dependencies": { "zod": "^3.25.0" } }`,
  });
  assert.match(codeOf(prepared), /z = 17/);
});

Deno.test("prepareModule() compiles JSX as the module's own deno.json says", async () => {
  const prepared = await prepare({
    "a.ts": `export * from "./b.tsx";`,
    "b.tsx": `const make = (tag: string) => tag; export const b = <b/>;`,
    "deno.json": `{ "compilerOptions": { "jsx": "react", "jsxFactory": "make" } }`,
  });
  assert.match(codeOf(prepared), /make\("b", null\)/);
});

Deno.test("prepareModule() leaves a module to Deno where its own deno.json changes nothing", async () => {
  const { url, source, folder } = await prepare({
    "a.ts":
      `import "./b.ts"; import "node:path"; import "npm:zod@4.6.7"; import { rpc } from "@enoki/enoki"; rpc();`,
    "b.ts": "",
    "deno.json": `{ "imports": { "@enoki/enoki": "jsr:@enoki/enoki", "tool": "./b.ts" }, "fmt": {} }`,
  });
  assert.deepEqual(source, addressOf(url, folder, "a.ts", "b.ts"));
});

for (
  const [what, text, complaint] of [
    ["imports that are null", `{ "imports": null }`, '"imports" must be an object with texts'],
    ["an import map that is no URL", `{ "importMap": "http://[bad" }`, '"importMap" must be a path or a URL'],
    [
      "scopes that are texts",
      `{ "scopes": { "a": "b" } }`,
      '"scopes" must be an object whose values are objects with texts',
    ],
    ["options that are a list", `{ "compilerOptions": [] }`, '"compilerOptions" must be an object'],
  ] as const
) {
  Deno.test(`prepareModule() refuses a deno.json with ${what}`, async () => {
    await assert.rejects(prepare({ "a.ts": "", "deno.json": text }), (error: Error) => {
      assert.ok(error instanceof ServiceLoadError);
      assert.match(error.message, /^Cannot use import map file:\S+deno\.json: /);
      assert.ok(error.message.endsWith(complaint), error.message);
      return true;
    });
  });
}

Deno.test("prepareModule() resolves by the import map that it is given", async () => {
  await using maps = new TestFolder();
  await Deno.writeTextFile(maps.file("map.json"), `{ "imports": { "tool": "./tool.ts" } }`);
  await Deno.writeTextFile(maps.file("tool.ts"), `export const tool: number = 17;`);
  const prepared = await prepare({ "a.ts": `export * from "tool";` }, { importMap: maps.file("map.json") });
  assert.match(codeOf(prepared), /tool = 17/);
});

Deno.test("prepareModule() lets restricted threads read the runtime for a bundle, and nothing else", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": "" });
  const { needs } = await prepareModule(origin.url("/a.ts"), OPTIONS);
  const root = new URL("../../../", import.meta.url).pathname;
  assert.deepEqual(needs, {
    read: [`${root}mod.ts`, `${root}runtime/`, `${root}extensions/`],
    import: [],
    packages: [],
  });
});

Deno.test("prepareModule() names a module that is not there", async () => {
  await assert.rejects(prepare({ "a.ts": `import "./none.ts";` }), (error: Error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, /^Cannot load .*none\.ts.*a\.ts:1:8/s);
    return true;
  });
});

Deno.test("prepareModule() does not wait longer than loadTimeout for modules of the network", async () => {
  const answer = Promise.withResolvers<Response>();
  await using origin = new ModuleOrigin({ "/a.ts": () => answer.promise });
  await assert.rejects(
    prepareModule(origin.url("/a.ts"), { ...OPTIONS, loadTimeout: 100 }),
    new RegExp(`^ServiceLoadError: Cannot load module ${origin.url("/a.ts")}: .* within 100 ms`),
  );
  answer.resolve(new Response());
});
