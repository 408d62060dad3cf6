import assert from "node:assert/strict";
import { loadExtensions, type LoadExtensionsOptions } from "../../extensions/loaded_extensions.ts";
import { MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import { Section } from "../../runtime/config/section.ts";
import { extension } from "../../runtime/hosting/mod.ts";
import { ModuleOrigin, TestFolder } from "../fixtures/module_origin.ts";
import { serveInMemory, servicePath } from "../fixtures/serve_in_memory.ts";

const ONCE = new URL("../fixtures/extensions/once.ts", import.meta.url);

/** An extension with an entrypoint kind that is called `kind` and does nothing. */
function idle(kind: string) {
  return extension({
    entrypoints: {
      [kind]: () => ({
        start: () => Promise.resolve(),
        stop: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    },
  });
}

function options(config = {}): LoadExtensionsOptions {
  return { at: new Section(config), modules: {} };
}

Deno.test("run() serves the entrypoints and sets up the dependencies of an extension, with its settings", async () => {
  await using running = await serveInMemory(new MemoryBroker(), ["once.ts"], {
    extensions: [ONCE],
    config: { ONCE_GREETING: "ahoy" },
  });
  assert.equal(await running.transport.countMessages("once-marked-ahoy"), 0);
});

Deno.test("run() and connect() reach a broker through an extension's transport", async () => {
  await using folder = new TestFolder();
  const broker = `nest://${folder.path}/broker.sock`;
  const extensions = [ONCE];
  await using _running = await run([servicePath("once.ts")], {
    broker,
    extensions,
    threads: { kind: "web" },
  });
  await using cluster = await connect({ config: { TRANSPORT: broker }, extensions });
  assert.equal(await cluster.client("enoki_test_once").echo!("hello"), "hello");
});

Deno.test("run() refuses a kind that nobody provides, and says how to name an extension", async () => {
  const serving = serveInMemory(new MemoryBroker(), ["once.ts"]);
  await assert.rejects(serving, {
    name: "ConfigurationError",
    message: 'Cannot serve service "enoki_test_once": no extension provides entrypoints of kind "once". ' +
      "Name the module of one that does: --extension <module>, extensions in the configuration, or run()",
  });
});

Deno.test("run() suggests the kind that a service may have meant", async () => {
  const serving = serveInMemory(new MemoryBroker(), ["once.ts"], { extensions: [idle("onec")] });
  await assert.rejects(serving, {
    name: "ConfigurationError",
    message: /, or run\(\)\. Did you mean onec\?$/,
  });
});

Deno.test("run() refuses a wrong setting of an extension before anything starts", async () => {
  const config = { extensions: [ONCE.href], ONCE_GREETING: 7 };
  await assert.rejects(run(["./missing.ts"], { config }), {
    name: "ConfigurationError",
    message: 'Cannot use config key "ONCE_GREETING": got 7, expected text that is not empty',
  });
});

Deno.test("loadExtensions() takes an extension that is named twice as one", async () => {
  const once = idle("once");
  const { entrypoints } = await loadExtensions([once, once], options());
  assert.deepEqual(Object.keys(entrypoints), ["once"]);
});

Deno.test("loadExtensions() refuses two extensions that provide the same", async () => {
  await assert.rejects(loadExtensions([ONCE, idle("once")], options()), {
    name: "ConfigurationError",
    message:
      `Cannot use a program's own extension: extension ${ONCE} provides entrypoints of kind "once", too. ` +
      "Name one of the two",
  });
});

Deno.test("loadExtensions() refuses a module that exports no extension", async () => {
  const module = servicePath("twin.ts");
  await assert.rejects(loadExtensions([module], options()), {
    name: "ServiceLoadError",
    message: `Cannot use extension ${module}: the module exports no extension. ` +
      "Export one: export default extension({ … })",
  });
});

Deno.test("loadExtensions() says why a module does not load", async () => {
  await assert.rejects(loadExtensions([servicePath("throws_at_top.ts")], options()), {
    name: "ServiceLoadError",
    message: /^Cannot load extension file:.*throws_at_top\.ts: \w*Error: /,
  });
  await assert.rejects(loadExtensions([servicePath("missing.ts")], options()), {
    name: "ServiceLoadError",
    message: /^Cannot load module file:.*missing\.ts: /,
  });
});

Deno.test("loadExtensions() holds a module by URL to the lock file", async () => {
  const text = `
    import { extension } from "@enoki/enoki/hosting";
    export default extension({ dependencies: { mark: () => Promise.resolve() } });
  `;
  await using folder = new TestFolder();
  await using origin = new ModuleOrigin({ "/mark.ts": text });
  const modules = {
    cache: { folder: folder.file("cache") },
    lock: { path: folder.file("extensions.lock"), mode: "record" as const },
  };
  const load = () => loadExtensions([origin.url("/mark.ts")], { at: new Section({}), modules });
  assert.deepEqual(Object.keys((await load()).dependencies), ["mark"]);
  origin.set("/mark.ts", `${text}\nglobalThis.stolen = true;`);
  await assert.rejects(
    loadExtensions([origin.url("/mark.ts")], {
      at: new Section({}),
      modules: { ...modules, mode: "reload" },
    }),
    { name: "ServiceLoadError", message: /its sha256 is / },
  );
});

Deno.test("extension() refuses what is no factory, what is no scheme, and a part that is not known", () => {
  assert.throws(() => extension({ entrypoints: { once: undefined as never } }), {
    name: "TypeError",
    message: 'Cannot define an extension: "once" of its entrypoints is not a function',
  });
  assert.throws(() => extension({ transports: { "nats:": () => undefined as never } }), {
    name: "TypeError",
    message: 'Cannot define an extension: "nats:" is not the scheme of a URI, such as nats',
  });
  assert.throws(() => extension({ transport: {} } as object), {
    name: "TypeError",
    message: 'Cannot define an extension: it has no part "transport". Did you mean transports?',
  });
});
