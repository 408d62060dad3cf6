import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { ServiceLoadError } from "../../../../runtime/message/errors.ts";
import { importBundle } from "../../../../runtime/module/bundle/bundle_import.ts";
import type { BundleAnswer } from "../../../../runtime/module/bundle/bundle.ts";
import type { BundleRequest, BundleResult } from "../../../../runtime/module/bundle/bundler.ts";
import type { ModuleBundle } from "../../../../runtime/channel/port.ts";
import { ModuleOrigin, type OriginReply, redirectTo, TestFolder } from "../../../fixtures/module_origin.ts";

const worker = new Worker(import.meta.resolve("../../../fixtures/bundling_worker.ts"), { type: "module" });

async function bundleModule(
  request: Partial<BundleRequest> & { readonly url: string },
): Promise<BundleResult> {
  const { port1, port2 } = new MessageChannel();
  const { promise, resolve } = Promise.withResolvers<BundleAnswer>();
  port1.onmessage = ({ data }) => resolve(data);
  const whole: BundleRequest = {
    modules: { cache: false },
    importMap: undefined,
    standalone: false,
    ...request,
  };
  worker.postMessage(whole, [port2]);
  const answer = await promise;
  port1.close();
  if ("failure" in answer) throw new ServiceLoadError(answer.failure);
  return answer;
}

type Replies = Readonly<Record<string, OriginReply>>;

function bundle(
  origin: ModuleOrigin,
  { path = "/a.ts", ...request }: Partial<BundleRequest> & { readonly path?: string } = {},
): Promise<ModuleBundle> {
  return bundleModule({ url: origin.url(path), ...request });
}

/** What the bundle of `/a.ts` exports. */
async function exportsOf(
  replies: Replies,
  request?: Parameters<typeof bundle>[1],
): Promise<Readonly<Record<string, unknown>>> {
  await using origin = new ModuleOrigin(replies);
  return (await importBundle(await bundle(origin, request))).exports;
}

/** Why the bundle of `/a.ts` cannot be made, with `ORIGIN` for where it is. */
async function refusal(replies: Replies, request?: Parameters<typeof bundle>[1]): Promise<string> {
  await using origin = new ModuleOrigin(replies);
  const error = await bundle(origin, request).then(
    () => assert.fail("it was bundled"),
    (error: Error) => error,
  );
  assert.ok(error instanceof ServiceLoadError, String(error));
  return error.message.replaceAll(origin.url(""), "ORIGIN");
}

function reply(contentType: string, text: string): OriginReply {
  return () => new Response(text, { headers: { "content-type": contentType } });
}

Deno.test("bundleModule() resolves imports from where a redirect has led", async () => {
  const { value } = await exportsOf({
    "/a.ts": `export * from "./latest/b.ts";`,
    "/latest/b.ts": redirectTo("/v1/b.ts"),
    "/v1/b.ts": `export { value } from "./c.ts";`,
    "/v1/c.ts": `export const value: string = import.meta.url.slice(-8);`,
  });
  assert.equal(value, "/v1/c.ts");
});

Deno.test("bundleModule() evaluates once what is imported by its first URL and by its last", async () => {
  const { same } = await exportsOf({
    "/a.ts":
      `import { x } from "./b.ts"; import { x as y } from "./c.ts"; export const same: boolean = x === y;`,
    "/b.ts": redirectTo("/c.ts"),
    "/c.ts": `export const x: object = {};`,
  });
  assert.equal(same, true);
});

Deno.test("bundleModule() reads modules by their content types", async () => {
  const { values } = await exportsOf({
    "/a.ts": `import x from "./x"; import y from "./y"; import z from "./z" with { type: "json" };
      export const values = [x, y, z];`,
    "/x": reply("application/typescript", "export default 1 satisfies number;"),
    "/y": reply("text/javascript; charset=utf-8", "export default 2;"),
    "/z": reply("application/json", `{ "three": 3 }`),
  });
  assert.deepEqual(values, [1, 2, { three: 3 }]);
});

Deno.test("bundleModule() lowers an accessor also where no decorator is", async () => {
  const { value } = await exportsOf({
    "/a.ts": `class A { accessor x = 5; } export const value = new A().x;`,
  });
  assert.equal(value, 5);
});

Deno.test("bundleModule() waits for a top-level await in the middle of a cycle", async () => {
  const { order } = await exportsOf({
    "/a.ts": `import { log } from "./log.ts"; import "./b.ts"; log.push("a"); export const order = log;
      export const late = () => "a";`,
    "/b.ts": `import { log } from "./log.ts"; import { late } from "./a.ts"; await Promise.resolve();
      log.push("b"); export const use = () => late();`,
    "/log.ts": `export const log: string[] = [];`,
  });
  assert.deepEqual(order, ["b", "a"]);
});

Deno.test("bundleModule() evaluates what import() names by a literal when it is called, and once", async () => {
  const { load, log } = await exportsOf({
    "/a.ts": `import { log } from "./log.ts"; export { log }; export const load = () => import("./b.ts");`,
    "/b.ts": `import { log } from "./log.ts"; log.push("b"); export default 1;`,
    "/log.ts": `export const log: string[] = [];`,
  });
  assert.deepEqual(log, []);
  const call = load as () => Promise<{ readonly default: number }>;
  assert.deepEqual((await Promise.all([call(), call()])).map((module) => module.default), [1, 1]);
  assert.deepEqual(log, ["b"]);
});

Deno.test("bundleModule() lets an import() of what is no literal fail with the reason", async () => {
  const { load } = await exportsOf({
    "/a.ts": `export const load = (ä: string) => [ä.length > 0, import(ä)][1];`,
    "/b.ts": "",
  });
  const call = load as (specifier: string) => Promise<unknown>;
  await assert.rejects(call("./b.ts"), /Cannot import "\.\/b\.ts": the service runs as a bundle, .* literal/);
  assert.equal(typeof (await call("node:path") as { join: unknown }).join, "function");
});

Deno.test("bundleModule() resolves bare names by the deno.json beside a module, comments and all", async () => {
  const { value } = await exportsOf({
    "/app/a.ts":
      `import { name } from "tool"; import sub from "lib/sub.ts"; export const value = [name, sub];`,
    "/app/deno.json": reply(
      "application/json",
      `{ "imports": { "tool": "./tool.ts", "lib/": "/lib/" /* ! */ } }`,
    ),
    "/app/tool.ts": `export const name = "tool";`,
    "/lib/sub.ts": `export default "sub";`,
  }, { path: "/app/a.ts" });
  assert.deepEqual(value, ["tool", "sub"]);
});

Deno.test("bundleModule() takes the deno.json beside where a redirect of the module has led", async () => {
  const { tool } = await exportsOf({
    "/a.ts": redirectTo("/v1/a.ts"),
    "/deno.json": reply("application/json", `{ "imports": { "tool": "./wrong.ts" } }`),
    "/wrong.ts": `export const tool = "wrong";`,
    "/v1/a.ts": `export * from "tool";`,
    "/v1/deno.json": reply("application/json", `{ "imports": { "tool": "./tool.ts" } }`),
    "/v1/tool.ts": `export const tool = "right";`,
  });
  assert.equal(tool, "right");
});

Deno.test("bundleModule() does without a deno.json where a page is in its place", async () => {
  const { value } = await exportsOf({
    "/a.ts": `export const value = 17;`,
    "/deno.json": reply("text/html", "<p>Not here"),
  });
  assert.equal(value, 17);
});

Deno.test("bundleModule() tells that the deno.json beside a module cannot be had", async () => {
  const failing = () => new Response(null, { status: 500 });
  assert.match(
    await refusal({ "/a.ts": "", "/deno.json": failing }),
    /^Cannot load module ORIGIN\/deno\.json: the origin answered with status 500/,
  );
});

Deno.test("bundleModule() does not do without a deno.json that is in the lock file", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "" });
  const path = folder.file("services.lock");
  const url = origin.url("/deno.json");
  await Deno.writeTextFile(path, JSON.stringify({ version: 1, remote: { [url]: "0".repeat(64) } }));
  const lock = { path, mode: "record" } as const;
  await assert.rejects(
    bundleModule({ url: origin.url("/a.ts"), modules: { cache: false, lock } }),
    /deno\.json: the origin answered with status 404/,
  );
  origin.set("/deno.json", reply("application/json", "{}"));
  await assert.rejects(
    bundleModule({ url: origin.url("/a.ts"), modules: { cache: false, lock } }),
    /deno\.json: its sha256 is/,
  );
});

Deno.test("bundleModule() does without a deno.json that is not in a frozen lock file", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/a.ts": "export const value = 17;" });
  const path = folder.file("services.lock");
  const url = origin.url("/a.ts");
  await bundleModule({ url, modules: { cache: false, lock: { path, mode: "record" } } });
  await bundleModule({ url, modules: { cache: false, lock: { path, mode: "check" } } });
});

Deno.test("bundleModule() compiles JSX as the deno.json says", async () => {
  const { value } = await exportsOf({
    "/a.tsx": `export const value = <p id="x">text</p>;`,
    "/deno.json": reply(
      "application/json",
      `{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "/jsx" } }`,
    ),
    "/jsx/jsx-runtime": `export const jsx = (...parts: unknown[]) => parts;`,
  }, { path: "/a.tsx" });
  assert.deepEqual(value, ["p", { id: "x", children: "text" }]);
});

Deno.test("bundleModule() takes the import map that it is given before that of the module", async () => {
  await using maps = new ModuleOrigin({
    "/map.json": reply("application/json", `{ "imports": { "tool": "./tool.ts" } }`),
    "/tool.ts": `export default "given";`,
  });
  const { value } = await exportsOf({
    "/a.ts": `export { default as value } from "tool";`,
    "/deno.json": reply("application/json", `{ "imports": { "tool": "./none.ts" } }`),
  }, { importMap: maps.url("/map.json") });
  assert.equal(value, "given");
});

for (const name of ["@enoki/enoki", "jsr:@enoki/enoki@^0.1", "../mod.ts"]) {
  Deno.test(`bundleModule() does not bundle the runtime as ${name}`, async () => {
    const runtime = import.meta.resolve("../../../../mod.ts");
    const specifier = name.startsWith("..") ? runtime : name;
    const url = `data:text/typescript,${encodeURIComponent(`export { service } from "${specifier}";`)}`;
    const made = await bundleModule({
      url,
      modules: { cache: false },
      importMap: undefined,
      standalone: false,
    });
    assert.match(made.code, new RegExp(`from "${runtime}"`));
    const { service } = await import(runtime);
    assert.equal((await importBundle(made)).exports["service"], service);
  });
}

Deno.test("bundleModule() keeps the names of classes that several modules have", async () => {
  const { names } = await exportsOf({
    "/a.ts": `import { Missing as Other } from "./b.ts"; class Missing extends Error {}
      export const names = [Missing.name, Other.name];`,
    "/b.ts": `export class Missing extends Error {}`,
  });
  assert.deepEqual(names, ["Missing", "Missing"]);
});

Deno.test("importBundle() tells what parameters were called that had to be renamed", async () => {
  await using origin = new ModuleOrigin({
    "/a.ts": `import { order as one } from "./b.ts"; export const order = one;
      export const handlers = { place(_context: unknown, order: string) { return order + one; } };`,
    "/b.ts": `export const order = 1;`,
  });
  const { exports, originalName } = await importBundle(await bundle(origin));
  const source = String((exports["handlers"] as { place: unknown }).place);
  const renamed = /\(_context, (order\d*)\)/.exec(source)![1]!;
  assert.notEqual(renamed, "order");
  assert.equal(originalName(source, source.indexOf(renamed)), "order");
  assert.equal(originalName(source, source.indexOf("_context")), undefined);
});

Deno.test("importBundle() gives stacks the places of the author's own files, whoever reads them", async () => {
  await using origin = new ModuleOrigin({
    "/a.ts": `import { fail } from "./b.ts";\nexport function start(): void {\n  fail();\n}`,
    "/b.ts":
      `type Long = {\n  a: string;\n};\nexport const fail = (): Long => {\n  throw new RangeError("deep");\n};`,
  });
  const { exports } = await importBundle(await bundle(origin));
  let stack: string | undefined;
  try {
    (exports["start"] as () => void)();
  } catch (error) {
    stack = (error as Error).stack;
  }
  const lines = stack!.replaceAll(origin.url(""), "ORIGIN").split("\n").map((line) => line.trim());
  assert.deepEqual(lines.slice(0, 3), [
    "RangeError: deep",
    "at fail (ORIGIN/b.ts:5:9)",
    "at Module.start (ORIGIN/a.ts:3:3)",
  ]);
  assert.match(lines[3]!, /bundler_test\.ts:\d+:\d+\)?$/);
});

for (
  const [what, importing, says] of [
    ["the runtime has not", 'import { rcp } from "@enoki/enoki";\nrcp();', /an export named 'rcp'/],
    ["a built-in module has not", 'import { nope } from "node:fs";\nnope();', /an export named 'nope'/],
  ] as const
) {
  Deno.test(`importBundle() says in which of the author's files a name is imported that ${what}`, async () => {
    await using origin = new ModuleOrigin({ "/a.ts": `type A = 1;\nexport {};\n${importing}` });
    await assert.rejects(importBundle(await bundle(origin)), ({ message, stack }: Error) => {
      assert.match(message, says);
      assert.ok(message.includes(origin.url("/a.ts:3")), message);
      assert.doesNotMatch(`${message}${stack}`, /data:/);
      assert.equal(stripVTControlCharacters(`${message}${stack}`), `${message}${stack}`);
      return true;
    });
  });
}

const REFUSALS: readonly {
  readonly what: string;
  readonly replies: Replies;
  readonly request?: Partial<BundleRequest>;
  readonly says: RegExp;
}[] = [
  {
    what: "a module that is not there, and who imports it",
    replies: { "/a.ts": `export {};\nimport "./none.ts";` },
    says: /^Cannot load module ORIGIN\/none\.ts: .*404.* \(imported at ORIGIN\/a\.ts:2:8\)$/,
  },
  {
    what: "a syntax error with its place",
    replies: { "/a.ts": `import "./b.ts";`, "/b.ts": `export {};\nconst = 5;` },
    says: /^Cannot load module ORIGIN\/a\.ts: ORIGIN\/b\.ts:2:7: .*Expected identifier/,
  },
  {
    what: "an export that is not there with its place",
    replies: { "/a.ts": `import { none } from "./b.ts"; none;`, "/b.ts": `export {};` },
    says: /ORIGIN\/a\.ts:1:10: No matching export in "ORIGIN\/b\.ts" for import "none"/,
  },
  {
    what: "a package in a binary, and what to do",
    replies: { "/a.ts": `import "npm:zod@4";` },
    request: { standalone: true },
    says: /^Cannot import npm:zod@4: this binary holds .*enoki compile ORIGIN\/a\.ts, .* \(imported at/,
  },
  {
    what: "a package of an extension in a binary, and what to do",
    replies: { "/a.ts": `import "npm:zod@4";` },
    request: { standalone: true, isExtension: true },
    says: /^Cannot import npm:zod@4: .*enoki compile --extension ORIGIN\/a\.ts <module>, .* \(imported at/,
  },
  {
    what: "a bare name that nothing has",
    replies: { "/a.ts": `import "zod";` },
    says:
      /^Cannot resolve "zod": no import map and no package.json has that name\. .*--import-map \(imported at ORIGIN\/a\.ts:1:8\)/,
  },
  {
    what: "a door that the runtime does not have",
    replies: { "/a.ts": `import "@enoki/enoki/none";` },
    says: /^Cannot resolve "@enoki\/enoki\/none": the package has no such export, only \., .*\.\/testing/,
  },
  {
    what: "JSON that is imported as a module",
    replies: { "/a.ts": `import "./b.json";`, "/b.json": reply("application/json", "{}") },
    says: /^Cannot import ORIGIN\/b\.json: it is JSON\. Import it with { type: "json" }/,
  },
  {
    what: "an attribute that it does not know",
    replies: { "/a.ts": `import x from "./b.ts" with { type: "text" }; x;`, "/b.ts": "" },
    says: /^Cannot import ORIGIN\/b\.ts with { type: "text" }: only modules and JSON can be bundled/,
  },
  {
    what: "content that is no module",
    replies: { "/a.ts": `import "./b.css";`, "/b.css": reply("text/css", "p {}") },
    says:
      /^Cannot load module ORIGIN\/b\.css: its content type is text\/css.* \(imported at ORIGIN\/a\.ts:1:8\)/,
  },
  {
    what: "an import() of a pattern",
    replies: { "/a.ts": `export const load = (name: string) => import("./" + name + ".ts");` },
    says: /^Cannot load module ORIGIN\/a\.ts: ORIGIN\/a\.ts:1:46: import\(\) of a pattern cannot be bundled/,
  },
  {
    what: "an import map that is none",
    replies: { "/a.ts": "", "/deno.json": reply("application/json", "{\n oops }") },
    says: /^Cannot use import map ORIGIN\/deno\.json:2: /,
  },
];

for (const { what, replies, request, says } of REFUSALS) {
  Deno.test(`bundleModule() names ${what}`, async () => {
    assert.match(await refusal(replies, request), says);
  });
}
