import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, run, type RunOptions, type ServiceOrModule } from "../../extensions/run.ts";
import { rpc, service } from "../../mod.ts";
import { CallTimeoutError, ServiceLoadError } from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { EditedModules } from "../fixtures/edited_module.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { Named, named, silent, Unnamed, unnamed } from "../fixtures/services/own_module.ts";

const lines: string[] = [];
configureLogging({ write: (line) => void lines.push(line) });

Object.assign(globalThis, { enokiTestRealm: 1 });

const INLINE = 1;
const IN_THREADS = null;

/** Serves over memory, with a client. */
async function serve(services: readonly ServiceOrModule[], options: RunOptions = {}) {
  const broker = new MemoryBroker();
  const running = await run(services, {
    broker: memory({ broker }),
    threads: { kind: "node", permissions: "all" },
    ...options,
  });
  const cluster = await connect({ broker: memory({ broker }) });
  return {
    running,
    call: (name: string, method: string, ...args: readonly unknown[]) =>
      cluster.client(name)[method]!(...args),
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await running.shutdown();
    },
  };
}

Deno.test("run() serves services that name their module in threads, and others inline, beside modules", async () => {
  lines.length = 0;
  await using served = await serve([named, unnamed, Named, Unnamed, servicePath("waiting.ts")]);
  assert.equal(await served.call("enoki_test_named", "where"), IN_THREADS);
  assert.equal(await served.call("enoki_test_named", "isMain"), false);
  assert.equal(await served.call("enoki_test_named_class", "where"), IN_THREADS);
  assert.equal(await served.call("enoki_test_unnamed", "where"), INLINE);
  assert.equal(await served.call("enoki_test_unnamed_class", "where"), INLINE);
  assert.equal(await served.call("enoki_test_unnamed", "echo", "bytes"), "bytes");
  assert.equal(await served.call("enoki_test_waiting", "echo", "too"), "too");
  assert.equal(served.running.containers.size, 5);
  const told = lines.filter((line) => /info .* Served inline/.test(line));
  assert.equal(told.length, 2, lines.join("\n"));
  assert.match(told[0]!, /enoki_test_unnamed Served inline.*module: import\.meta\.url/);
});

Deno.test("run() warns of a service that is to have a process of its own, and is served inline", async () => {
  lines.length = 0;
  await using served = await serve([unnamed], { config: { isolation: "process" } });
  assert.equal(await served.call("enoki_test_unnamed", "where"), INLINE);
  assert.match(lines.join("\n"), /warning .*The process of its own that its configuration says is not there/);
});

Deno.test("run() serves a service that names its module in a sandbox, as any other", async () => {
  await using served = await serve([named], { threads: { maxWorkers: 1 } });
  assert.equal(await served.call("enoki_test_named", "where"), IN_THREADS);
});

Deno.test("run() serves all services inline where all threads are", async () => {
  await using served = await serve([named], { threads: { kind: "inline" } });
  assert.equal(await served.call("enoki_test_named", "where"), INLINE);
});

Deno.test("run() refuses a service that its module does not export", async () => {
  const other = service("enoki_test_other", {
    module: import.meta.resolve("../fixtures/services/own_module.ts"),
    entrypoints: { hello: rpc() },
    handlers: { hello: () => "hello" },
  });
  await assert.rejects(serve([other]), (error: Error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, /exports no service "enoki_test_other", only .*"enoki_test_named"/);
    return true;
  });
});

Deno.test("run() refuses two services of one name, also inline", async () => {
  await assert.rejects(serve([unnamed, unnamed]), /two services named "enoki_test_unnamed": inline:/);
});

Deno.test("an inline service restarts with dependencies of its own, and Running.reload() leaves it alone", async () => {
  await using served = await serve([unnamed, named]);
  const container = served.running.containers.get("enoki_test_unnamed")!;
  await container.restart();
  assert.equal(await served.call("enoki_test_unnamed", "where"), INLINE);
  assert.deepEqual(await served.running.reload(), ["enoki_test_named"]);
  assert.equal(container.state, "running");
  await container.stop();
  assert.equal(await served.call("enoki_test_named", "where"), IN_THREADS);
});

Deno.test("the timeout of an inline service ends the wait for its handler", async () => {
  await using served = await serve([unnamed]);
  await assert.rejects(served.call("enoki_test_unnamed", "linger"), CallTimeoutError);
  assert.equal(await served.call("enoki_test_unnamed", "echo", "goes on"), "goes on");
});

Deno.test("a service without entrypoints has its dependencies set up until it is stopped", async () => {
  await using served = await serve([silent, unnamed]);
  const container = served.running.containers.get("enoki_test_silent")!;
  assert.equal(container.state, "running");
  assert.deepEqual(container.extensions.entrypoints, []);
  assert.equal(await served.call("enoki_test_unnamed", "number"), 1);
  await container.stop();
  assert.equal(await served.call("enoki_test_unnamed", "number"), 0);
  await container.start();
  assert.equal(await served.call("enoki_test_unnamed", "number"), 1);
});

Deno.test("run() in a module that its own threads evaluate is refused, and says how to guard the call", async () => {
  await using modules = await EditedModules.open();
  const door = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = await modules.write(
    "program.ts",
    `import { rpc, service } from ${door("../../mod.ts")};
import { run } from ${door("../../extensions/run.ts")};
export const looping = service("enoki_test_looping", {
  module: import.meta.url,
  entrypoints: { hello: rpc() },
  handlers: { hello: () => "hello" },
});
await using running = await run([looping], { broker: "memory:" });
`,
  );
  await assert.rejects(serve([program]), (error: Error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, /this is a thread of a service.*if \(import\.meta\.main\)/);
    return true;
  });
});
