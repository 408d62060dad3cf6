import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, Runner, type RunOptions } from "../../extensions/run.ts";
import { BrokerError, ServiceLoadError } from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { EditedModules } from "../fixtures/edited_module.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

const CHAIN = servicePath("chain.ts");
const WAITING = servicePath("waiting.ts");
const TWIN = servicePath("twin.ts");

/** A runner over memory, in threads that start quickly. */
function runnerOn(broker: MemoryBroker = new MemoryBroker(), options: RunOptions = {}): Runner {
  return new Runner({
    broker: memory({ broker }),
    ...options,
    threads: { kind: "node", permissions: "all", ...options.threads },
  });
}

Deno.test("Runner.start() serves what was added before, and Runner.add() serves the rest at once", async () => {
  const broker = new MemoryBroker();
  await using runner = runnerOn(broker);
  assert.deepEqual(await runner.add(`${CHAIN}:inner`), []);
  assert.deepEqual(await runner.add(`${CHAIN}:enoki_test_middle`), []);
  assert.equal(runner.containers.size, 0);
  await runner.start();
  assert.deepEqual([...runner.containers.keys()], ["enoki_test_inner", "enoki_test_middle"]);
  const [added] = await runner.add(new URL(`file://${WAITING}`));
  assert.equal(added, runner.container("enoki_test_waiting"));
  assert.equal(added!.state, "running");
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.client("enoki_test_waiting").echo!("here"), "here");
});

Deno.test("Runner.start() may start nothing, and what is added later is served", async () => {
  await using runner = runnerOn();
  await runner.start();
  await runner.add(TWIN);
  assert.equal(runner.containers.size, 1);
});

Deno.test("Runner.add() waits for a start that runs", async () => {
  await using runner = runnerOn();
  await runner.add(`${CHAIN}:inner`);
  const starting = runner.start();
  await runner.add(TWIN);
  await starting;
  assert.equal(runner.containers.size, 2);
});

Deno.test("Runner.add() that fails leaves all else as it is, and the name free", async () => {
  const broker = new MemoryBroker();
  await using modules = await EditedModules.open();
  await using runner = runnerOn(broker);
  await runner.add(WAITING);
  await runner.start();
  const broken = await modules.write("service.ts", "throw new Error('broken')");
  await assert.rejects(runner.add(broken), ServiceLoadError);
  const dependencies = "cable: provider(() => { throw new Error('no cable') })";
  await modules.write("service.ts", { number: 1, dependencies });
  await assert.rejects(runner.add(broken), /no cable/);
  assert.deepEqual([...runner.containers.keys()], ["enoki_test_waiting"]);
  await modules.write("service.ts", { number: 2 });
  await runner.add(broken);
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.client("enoki_test_edited").version!(), 2);
  assert.equal(await cluster.client("enoki_test_waiting").echo!("still"), "still");
});

Deno.test("Runner.add() refuses a name that is taken, also by a service that is stopped", async () => {
  await using runner = runnerOn();
  await runner.add(WAITING);
  await runner.start();
  const twice = /two services named "enoki_test_waiting".*waiting\.ts.*twin\.ts/;
  await assert.rejects(runner.add(TWIN), twice);
  await runner.container("enoki_test_waiting").stop();
  await assert.rejects(runner.add(TWIN), twice);
  const both = await Promise.allSettled([runner.add(CHAIN), runner.add(CHAIN)]);
  assert.deepEqual(both.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("Runner.container() knows the services, and what a mistyped name may have meant", async () => {
  await using runner = runnerOn();
  assert.throws(() => runner.container("enoki_test_inner"), /^TypeError: .*has not been started/);
  await runner.add(CHAIN);
  await runner.start();
  assert.equal(runner.container("enoki_test_inner").name, "enoki_test_inner");
  assert.throws(() => runner.container("enoki_test_iner"), {
    name: "TypeError",
    message: /^Cannot find service "enoki_test_iner": .*Did you mean enoki_test_inner\?$/,
  });
});

Deno.test("Runner.start() works once, and not after the end", async () => {
  const runner = runnerOn();
  await runner.add(TWIN);
  await runner.start();
  await assert.rejects(runner.start(), /^TypeError: Cannot start the runner: it has been started before/);
  await runner.stop();
  await runner.finished;
  const stopped = /^TypeError: Cannot \w+( to)? the runner: it has been stopped/;
  await assert.rejects(runner.start(), stopped);
  await assert.rejects(runner.add(CHAIN), stopped);
  await runner.stop();
});

Deno.test("Runner.stop() before the start ends the runner", async () => {
  const runner = runnerOn();
  await runner.add(TWIN);
  await runner.stop();
  await runner.finished;
  await assert.rejects(runner.start(), /it has been stopped/);
});

Deno.test("Runner.stop() gives a start up that runs", async () => {
  const loading = Promise.withResolvers<void>();
  const runner = runnerOn(undefined, { onProgress: () => loading.resolve() });
  await runner.add(CHAIN);
  const starting = assert.rejects(runner.start(), { name: "AbortError" });
  await loading.promise;
  await runner.stop();
  await starting;
  await runner.finished;
});

Deno.test("Runner.finished rejects with what the start failed with", async () => {
  const runner = new Runner({ broker: "amqp://127.0.0.1:1", threads: { kind: "inline" } });
  await assert.rejects(runner.start(), BrokerError);
  await assert.rejects(runner.finished, BrokerError);
});

Deno.test("Runner.finished does not settle because every service is stopped, but because the runner is", async () => {
  await using runner = runnerOn();
  await runner.add(TWIN);
  await runner.start();
  await runner.container("enoki_test_waiting").stop();
  const first = Promise.race([runner.finished.then(() => "finished"), runner.add(CHAIN).then(() => "added")]);
  assert.equal(await first, "added");
  await runner.stop();
  await runner.finished;
});

Deno.test("Runner.add() lets a watch follow the module as well", async () => {
  const broker = new MemoryBroker();
  const reloaded = Promise.withResolvers<readonly string[]>();
  await using modules = await EditedModules.open();
  await using runner = runnerOn(broker, {
    watch: { settleTime: 20 },
    onProgress: (progress) => progress.step === "reloaded" && reloaded.resolve(progress.services),
  });
  await runner.add(WAITING);
  await runner.start();
  await runner.add(await modules.write("service.ts", { number: 1 }));
  await modules.write("service.ts", { number: 2 });
  assert.deepEqual(await reloaded.promise, ["enoki_test_edited"]);
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.client("enoki_test_edited").version!(), 2);
});
