/** Optional parameters may be left out, however the module of a service gets into its threads. */
import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection, run, type RunOptions } from "../../../extensions/run.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { EditedModules } from "../../fixtures/edited_module.ts";
import { ModuleOrigin, typescript } from "../../fixtures/module_origin.ts";

const lines: string[] = [];
configureLogging({ write: (line) => lines.push(line) });

const MOD = new URL("../../../mod.ts", import.meta.url).href;

const IMPORTS = `import { contract, rpc, service } from "@enoki/enoki";`;

/** A service in two files: handlers of every form, in both. */
const FILES = {
  "shop.ts": `${IMPORTS}
import { Base, declared, typed } from "./handlers.ts";
type Context = { readonly call: { readonly id: string } };
// A bundler gives parameters other names where the module has the same ones.
const a = "outside", b = "outside";
Object.freeze([a, b]);
class Handlers extends Base {
  async method(_context: Context, a: string, b?: string) { return [a, b ?? "none"]; }
  arrow = (_context: Context, a: string, b?: string) => [a, b ?? "none"];
  declared = declared;
  typed = typed;
  destructured({ call }: Context, { a }: { a: string }, b?: string) { return [a, b ?? "none", typeof call.id]; }
  required(_context: Context, a: string, b: string | undefined) { return [a, b ?? "none"]; }
  several(_context: Context, a?: string, b = "default", ...c: readonly string[]) { return [a ?? "none", b, c]; }
  signed(_context: Context, a: never, b: never): unknown { return [a, b ?? "none"]; }
}
export default service("shop", {
  entrypoints: {
    inherited: rpc(), method: rpc(), arrow: rpc(), declared: rpc(), typed: rpc(), destructured: rpc(), required: rpc(),
    several: rpc(),
  },
  handlers: new Handlers() as Omit<Handlers, "signed">,
});
const terms = contract("signed", { sign: rpc<(a: string, b?: string) => unknown>() });
export const signed = service(terms, { handlers: { sign: (_context, first, second) => [first, second ?? "none"] } });
`,
  "handlers.ts": `
export class Base {
  inherited(this: Base, _context: unknown, a: string, b?: string): unknown {
    if (!(this instanceof Base)) throw new TypeError("this is something else");
    return [a, b ?? "none"];
  }
}
export function declared(_context: unknown, a: string, b?: string): unknown { return [a, b ?? "none"]; }
export const typed = ((_context: unknown, a: string, b?: string) => [a, b ?? "none"]) satisfies unknown;
`,
};

interface Shop {
  (...args: readonly unknown[]): Promise<unknown>;
  kwargs(named: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** Runs a test with a caller of the services of a module. */
async function withServices(
  module: string,
  options: RunOptions,
  test: (
    connection: Connection,
    client: (service: string) => Readonly<Record<string, Shop>>,
  ) => Promise<void>,
): Promise<void> {
  const broker = new MemoryBroker();
  await using _running = await run([module], {
    broker: memory({ broker }),
    config: { modules: { cache: false } },
    ...options,
  });
  await using connection = await connect({ broker: memory({ broker }) });
  await test(
    connection,
    (service) => connection.client(service) as unknown as Readonly<Record<string, Shop>>,
  );
}

async function answersWithout(client: (service: string) => Readonly<Record<string, Shop>>): Promise<void> {
  const shop = client("shop");
  for (const method of ["inherited", "method", "arrow", "declared", "typed"]) {
    assert.deepEqual(await shop[method]!("x"), ["x", "none"], method);
    assert.deepEqual(await shop[method]!("x", "y"), ["x", "y"], method);
    assert.deepEqual(await shop[method]!.kwargs({ a: "x" }), ["x", "none"], method);
    assert.deepEqual(await shop[method]!.kwargs({ b: "y", a: "x" }), ["x", "y"], method);
    await assert.rejects(shop[method]!(), /missing 1 required positional argument: 'a'/, method);
    await assert.rejects(shop[method]!("x", "y", "z"), /takes from 2 to 3 positional arguments/, method);
  }
  assert.deepEqual(await shop["destructured"]!({ a: "x" }), ["x", "none", "string"]);
  assert.deepEqual(await shop["several"]!(), ["none", "default", []]);
  await assert.rejects(shop["required"]!("x"), /missing 1 required positional argument: 'b'/);
  const { sign } = client("signed");
  assert.deepEqual(await sign!("x"), ["x", "none"]);
  await assert.rejects(sign!(), /missing 1 required positional argument: 'first'/);
}

/** Writes files that import Enoki by the URL of its source, as nothing else is configured there. */
async function written(modules: EditedModules, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await modules.write(name, text.replaceAll("@enoki/enoki", MOD));
  }
}

for (const permissions of ["none", "all"] as const) {
  Deno.test(`A caller may leave optional parameters out of a local service with permissions ${permissions}`, async () => {
    await using modules = await EditedModules.open();
    await written(modules, FILES);
    await withServices(
      modules.path("shop.ts"),
      { config: { permissions } },
      (_connection, client) => answersWithout(client),
    );
  });
}

Deno.test("A caller may leave optional parameters out of a service by URL, and out of its kept bundle", async () => {
  await using origin = new ModuleOrigin(
    Object.fromEntries(Object.entries(FILES).map(([name, text]) => [`/${name}`, () => typescript(text)])),
  );
  await using cache = await EditedModules.open();
  const options = { config: { modules: { cache: cache.folder } } };
  for (const _start of ["first", "second"]) {
    await withServices(origin.url("/shop.ts"), options, (_connection, client) => answersWithout(client));
  }
});

Deno.test("A caller may leave optional parameters out of a service in a data: URL", async () => {
  const text = `import { rpc, service } from "${MOD}";
    export default service("data", { entrypoints: { f: rpc() }, handlers: { f: (_c, a: string, b?: string) => a + (b ?? "!") } });`;
  const url = `data:application/typescript,${encodeURIComponent(text)}`;
  await withServices(
    url,
    {},
    async (_connection, client) => assert.equal(await client("data")["f"]!("x"), "x!"),
  );
});

Deno.test("A caller may leave a parameter out once its file has got the ?", async () => {
  const source = (mark: string) =>
    `import { rpc, service } from "${MOD}";
     export default service("edited", { entrypoints: { f: rpc() }, handlers: { f: (_c, a${mark}: string) => a ?? "!" } });`;
  await using modules = await EditedModules.open();
  const path = await modules.write("a.ts", source(""));
  const broker = new MemoryBroker();
  await using running = await run([path], { broker: memory({ broker }) });
  await using connection = await connect({ broker: memory({ broker }) });
  const { f } = connection.client("edited") as unknown as Readonly<Record<string, Shop>>;
  await assert.rejects(f!(), /missing 1 required/);
  await modules.write("a.ts", source("?"));
  await running.reload(path);
  assert.equal(await f!(), "!");
});

Deno.test("A parameter is required where another function of its look requires it, and a warning says so", async () => {
  await using modules = await EditedModules.open();
  await written(modules, {
    "a.ts": `${IMPORTS}
export const one = service("one", { entrypoints: { f: rpc() }, handlers: { f: (_c, a?: string) => a ?? "!" } });
export const two = service("two", { entrypoints: { f: rpc() }, handlers: { f: (_c, a: string) => a } });
export const three = service("three", { entrypoints: { f: rpc() }, handlers: { f: (_context, a?: string) => a ?? "!" } });
`,
  });
  await withServices(modules.path("a.ts"), {}, async (_connection, client) => {
    for (const name of ["one", "two"]) await assert.rejects(client(name)["f"]!(), /missing 1 required/);
    assert.equal(await client("three")["f"]!(), "!");
  });
  assert.match(lines.join(""), /warning +one Cannot tell whether "a" of "f" may be left out/);
});
