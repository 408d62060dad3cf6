import { Section } from "../../runtime/config/section.ts";
import { runtimeSettings } from "../../runtime/serving/settings.ts";
import assert from "node:assert/strict";
import { withModuleFlags } from "../../extensions/cli/flags/module_flags.ts";
import { ModuleOrigin, TestFolder } from "../fixtures/module_origin.ts";
import { enoki, GREETING } from "./command.ts";

Deno.test("withModuleFlags() lets a flag win over its key, and leaves the other keys", () => {
  const config = { modules: { lock: "a.lock", cached_only: true, allow_import: ["a"], timeout: 5 }, x: 1 };
  const flags = { lock: "b.lock", frozen: true, reload: true, allowImport: ["b"] };
  assert.deepEqual(withModuleFlags(config, flags), {
    modules: {
      lock: "b.lock",
      frozen: true,
      reload: true,
      cached_only: false,
      allow_import: ["b"],
      timeout: 5,
    },
    x: 1,
  });
});

Deno.test("withModuleFlags() leaves a configuration alone where there is no flag", () => {
  assert.deepEqual(withModuleFlags({ x: 1 }, {}), { x: 1 });
});

Deno.test("withModuleFlags() lets a bare --allow-import lift the limit of the configuration", () => {
  const config = withModuleFlags({ modules: { allow_import: ["a"] } }, { allowImport: true });
  assert.equal(runtimeSettings(new Section(config)).modules.allowImport, undefined);
});

Deno.test("enoki describe refuses flags that make no sense together", async () => {
  const frozen = await enoki(["describe", "--frozen", GREETING]);
  assert.equal(frozen.status, 2);
  assert.match(frozen.err, /"modules.frozen": .*pass --lock/);
  const both = await enoki(["describe", "--reload", "--cached-only", GREETING]);
  assert.equal(both.status, 2);
  assert.match(both.err, /'--cached-only' cannot be used with option '--reload'/);
});

Deno.test("enoki config masks the headers for hosts", async () => {
  const { out } = await enoki([
    "config",
    "--define",
    "modules={headers: {a: {authorization: Bearer sesame}}}",
  ]);
  assert.match(out, /authorization: "?\*{8}/);
  assert.ok(!out.includes("sesame"));
});

const SERVICE = `
  import { rpc, service } from "@enoki/enoki";
  import { greet } from "./greet.ts";
  export default service("greeter", {
    entrypoints: { hello: rpc() },
    handlers: { hello: (_context: unknown, name: string) => greet(name) },
  });
`;

Deno.test("enoki describe loads a locked service from the cache while its origin is down", async () => {
  await using folder = new TestFolder();
  const origin = new ModuleOrigin({ "/service.ts": SERVICE, "/greet.ts": "export const greet = String;" });
  const section =
    `modules={cache: ${folder.path}, headers: {"${origin.host}": {authorization: Bearer sesame}}}`;
  const flags = ["--lock", folder.file("services.lock"), "--define", section];
  const first = await enoki(["describe", ...flags, origin.url("/service.ts")]);
  assert.equal(first.status, 0, first.err);
  assert.deepEqual(
    new Set(origin.requests.map(({ headers }) => headers.get("authorization"))),
    new Set(["Bearer sesame"]),
  );
  await origin[Symbol.asyncDispose]();
  const second = await enoki(["describe", ...flags, "--frozen", "--cached-only", origin.url("/service.ts")]);
  assert.deepEqual(second, first);
});

Deno.test("enoki describe refuses a local service whose remote module has changed", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/greet.ts": "export const greet = String;" });
  const module = folder.file("service.ts");
  await Deno.writeTextFile(module, SERVICE.replace("./greet.ts", origin.url("/greet.ts")));
  const flags = [
    "--lock",
    folder.file("services.lock"),
    "--define",
    `modules={cache: ${folder.file("cache")}}`,
  ];
  const first = await enoki(["describe", ...flags, module]);
  assert.equal(first.status, 0, first.err);
  origin.set("/greet.ts", "export const greet = eval;");
  const second = await enoki(["describe", ...flags, "--reload", module]);
  assert.equal(second.status, 2);
  assert.match(second.err, /^Cannot load module http:.*\/greet.ts: its sha256 is /);
});

Deno.test("enoki describe takes no damaged bundle from the cache", async () => {
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({
    "/service.ts": SERVICE,
    "/greet.ts": "export const greet = String;",
  });
  const argv = ["describe", "--define", `modules={cache: ${folder.path}}`, origin.url("/service.ts")];
  const first = await enoki(argv);
  for await (const { name } of Deno.readDir(folder.file("bundles"))) {
    const path = folder.file(`bundles/${name}`);
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replaceAll("hello", "hullo"));
  }
  assert.deepEqual(await enoki(argv), first);
});
