import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, type Connection, Runner, type RunOptions } from "../../extensions/run.ts";
import { provider, rpc, service } from "../../mod.ts";
import { ServiceLoadError } from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type { ServiceContainer } from "../../runtime/serving/service_container.ts";
import { EditedModules, type Version } from "../fixtures/edited_module.ts";
import { GateService } from "../fixtures/gate_service.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

const EDITED = "enoki_test_edited";
const WAITING = "enoki_test_waiting";

/** A runner with a service that the test edits and one that it does not, a client, and the gate of both. */
class Stage implements AsyncDisposable {
  readonly runner: Runner;
  readonly gate: GateService;
  readonly #modules: EditedModules;
  readonly #cluster: Connection;

  constructor(runner: Runner, gate: GateService, modules: EditedModules, cluster: Connection) {
    this.runner = runner;
    this.gate = gate;
    this.#modules = modules;
    this.#cluster = cluster;
  }

  static async open(version: Version | string = { number: 1 }, options: RunOptions = {}): Promise<Stage> {
    const broker = new MemoryBroker();
    const modules = await EditedModules.open();
    const runner = new Runner({
      broker: memory({ broker }),
      threads: { kind: "node", permissions: "all" },
      ...options,
    });
    await runner.add(await modules.write("service.ts", version));
    await runner.add(servicePath("waiting.ts"));
    const gate = await GateService.open(memory({ broker }));
    await runner.start();
    return new Stage(runner, gate, modules, await connect({ broker: memory({ broker }) }));
  }

  /** The container of the service that the test edits. */
  get container(): ServiceContainer {
    return this.runner.container(EDITED);
  }

  edit(version: Version | string): Promise<string> {
    return this.#modules.write("service.ts", version);
  }

  call(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#cluster.client(EDITED)[method]!(...args);
  }

  callOther(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#cluster.client(WAITING)[method]!(...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
    await this.runner[Symbol.asyncDispose]();
    await this.gate[Symbol.asyncDispose]();
    await this.#modules[Symbol.asyncDispose]();
  }
}

/** Resolves when a container is in a state that it enters soon. */
async function becomes(container: ServiceContainer, state: ServiceContainer["state"]): Promise<void> {
  while (container.state !== state) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("ServiceContainer.stop() stops one service, whose callers wait for its start", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  await container.stop();
  assert.equal(container.state, "stopped");
  const { size, active, queued } = container.pool;
  assert.deepEqual([size, active, queued], [0, 0, 0]);
  assert.equal(await stage.callOther("echo", "goes on"), "goes on");
  const call = stage.call("version");
  await container.start();
  assert.equal(await call, 1);
  assert.equal(container.state, "running");
  assert.equal(stage.container, container);
});

Deno.test("ServiceContainer.stop() lets running calls finish, and is idempotent", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  const call = stage.call("hold", "the door");
  const held = await stage.gate.arrival("the door");
  const stopping = Promise.all([container.stop(), container.stop()]);
  await becomes(container, "draining");
  assert.equal(container.isWanted, false);
  assert.deepEqual(container.running.map(({ name }) => name), [`${EDITED}.hold`]);
  held.release();
  assert.equal(await call, 1);
  await stopping;
  await container.stop();
});

Deno.test("ServiceContainer.stop() gives running calls back once a signal aborts, also that of a second call", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  for (const [door, before] of [["alone", []], ["second", [undefined]]] as const) {
    const call = stage.call("hold", door);
    await stage.gate.arrival(door);
    const polite = before.map(() => container.stop());
    await container.stop({ signal: AbortSignal.abort() });
    await Promise.all(polite);
    stage.gate.open(door);
    await container.start();
    assert.equal(await call, 1);
  }
});

Deno.test("ServiceContainer.stop() is by force after the grace", async () => {
  await using stage = await Stage.open(undefined, { config: { grace: 0.1 } });
  const call = stage.call("hold", "for ever");
  await stage.gate.arrival("for ever");
  await stage.container.stop();
  stage.gate.open("for ever");
  await stage.container.start();
  assert.equal(await call, 1);
});

Deno.test("ServiceContainer.restart() stops at once when its signal aborts, and starts nothing then", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  const call = stage.call("hold", "the start");
  await stage.gate.arrival("the start");
  const controller = new AbortController();
  const restarting = container.restart({ signal: controller.signal });
  await becomes(container, "draining");
  controller.abort("enough");
  await assert.rejects(restarting, (error) => error === "enough");
  assert.equal(container.state, "stopped");
  stage.gate.open("the start");
  await container.start();
  assert.equal(await call, 1);
});

Deno.test("ServiceContainer.restart() does not wait for a handler that runs inline once its signal aborts", async () => {
  const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = service("enoki_test_holding", {
    entrypoints: { hold: rpc() },
    handlers: {
      async hold() {
        held.resolve();
        await released.promise;
      },
    },
  });
  const broker = new MemoryBroker();
  await using runner = new Runner({ broker: memory({ broker }) });
  await runner.add(holding);
  await runner.start();
  await using cluster = await connect({ broker: memory({ broker }) });
  const call = cluster.client("enoki_test_holding").hold!();
  await held.promise;
  const container = runner.container("enoki_test_holding");
  const controller = new AbortController();
  const restarting = container.restart({ signal: controller.signal });
  await becomes(container, "draining");
  controller.abort("enough");
  await assert.rejects(restarting, (error) => error === "enough");
  released.resolve();
  await container.start();
  await call;
});

Deno.test("ServiceContainer.start() loads the code and the entrypoints anew", async () => {
  const extra = { method: "extra", entrypoint: "rpc()", handler: "() => 'extra'" };
  await using stage = await Stage.open();
  await stage.container.stop();
  await stage.edit({ number: 2, more: [extra] });
  await stage.container.start();
  assert.equal(await stage.call("version"), 2);
  assert.equal(await stage.call("extra"), "extra");
  await stage.edit({ number: 3 });
  await stage.container.restart();
  assert.equal(await stage.call("version"), 3);
  assert.deepEqual(stage.container.manifest.entrypoints.map(({ method }) => method), ["version", "hold"]);
});

Deno.test("ServiceContainer.start() that fails leaves the service stopped, and may be tried again", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  for (const broken of ["throw new Error('broken')", { number: 2, name: "enoki_test_renamed" }]) {
    await stage.edit(broken);
    await assert.rejects(container.restart(), ServiceLoadError);
    assert.equal(container.state, "stopped");
  }
  const clashing = { method: "late", entrypoint: 'cron("no pattern")', handler: "() => {}" };
  const before = `import { cron } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};`;
  await stage.edit({ number: 2, before, more: [clashing] });
  await assert.rejects(container.start(), /Cannot schedule/);
  assert.equal(container.state, "stopped");
  assert.equal(await stage.callOther("echo", "goes on"), "goes on");
  await stage.edit({ number: 3 });
  await container.start();
  assert.equal(await stage.call("version"), 3);
});

Deno.test("ServiceContainer.start() does nothing if the service runs", async () => {
  await using stage = await Stage.open();
  await stage.edit({ number: 2 });
  await Promise.all([stage.container.start(), stage.container.start()]);
  assert.equal(await stage.call("version"), 1);
});

Deno.test("ServiceContainer changes happen one after the other, and the last one decides", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  const given = (error: Error) => error.name;
  const changes = ["stop", "start", "restart", "stop", "start", "stop", "restart"] as const;
  const ends = await Promise.all(changes.map((change) => container[change]().then(() => "done", given)));
  // A stop gives up the starts before it that have not ended.
  assert.deepEqual(ends, [
    "done",
    "ContainerStoppingError",
    "ContainerStoppingError",
    "done",
    "ContainerStoppingError",
    "done",
    "done",
  ]);
  assert.equal(container.state, "running");
  assert.equal(container.pool.size, 1);
  await Promise.all([container.restart(), container.restart(), container.start()]);
  assert.equal(await stage.call("version"), 1);
  await Promise.all([assert.rejects(container.restart()), container.stop()]);
  assert.equal(container.state, "stopped");
});

Deno.test("ServiceContainer changes never let two runs of a service be there at once", async () => {
  let [live, most] = [0, 0];
  const counted = service("enoki_test_counted", {
    dependencies: {
      run: provider(() => {
        most = Math.max(most, ++live);
        return { get: () => live, [Symbol.asyncDispose]: () => Promise.resolve(void live--) };
      }),
    },
    handlers: {},
  });
  await using runner = new Runner({ broker: memory() });
  await runner.add(counted);
  await runner.start();
  const container = runner.container("enoki_test_counted");
  await Promise.all([container.restart(), container.restart(), container.start(), container.restart()]);
  assert.deepEqual([live, most], [1, 1]);
});

Deno.test("ServiceContainer.stop() gives a start up that waits for something", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  await container.stop();
  await stage.edit("await new Promise(() => setInterval(() => {}, 1_000));");
  const starting = assert.rejects(container.start(), {
    name: "ContainerStoppingError",
    message: `Cannot start service "${EDITED}": it was stopped meanwhile`,
  });
  await becomes(container, "starting");
  await container.stop();
  await starting;
  assert.equal(container.state, "stopped");
});

Deno.test("ServiceContainer.start() heeds its signal, and the end of its runner", async () => {
  await using stage = await Stage.open();
  const { container } = stage;
  await container.stop();
  const reason = new Error("changed my mind");
  await assert.rejects(container.start({ signal: AbortSignal.abort(reason) }), reason);
  const starting = assert.rejects(container.start(), /its runner was stopped meanwhile/);
  await stage.runner.stop();
  await starting;
  await assert.rejects(container.start(), {
    name: "ContainerStoppingError",
    message: /its runner has been stopped/,
  });
});

Deno.test("Runner.reload() leaves a stopped service stopped, and its module's other services go on", async () => {
  const other = "enoki_test_second";
  const source = (number: number) => `
import { rpc, service } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
const handlers = { version: () => ${number} };
export const first = service("${EDITED}", { entrypoints: { version: rpc() }, handlers });
export const second = service("${other}", { entrypoints: { version: rpc() }, handlers });
`;
  await using stage = await Stage.open(source(1));
  await stage.container.stop();
  const path = await stage.edit(source(2));
  assert.deepEqual(await stage.runner.reload(path), [other]);
  assert.equal(stage.container.state, "stopped");
  await stage.container.start();
  assert.equal(await stage.call("version"), 2);
  await stage.edit(source(3));
  for (const name of [EDITED, other]) await stage.runner.container(name).stop();
  assert.deepEqual(await stage.runner.reload(path), []);
});

Deno.test("ServiceContainer.extensions are plain data of the version that runs", async () => {
  await using stage = await Stage.open();
  assert.deepEqual(structuredClone(stage.container.extensions), {
    entrypoints: [
      { kind: "rpc", method: "version", options: {} },
      { kind: "rpc", method: "hold", options: {} },
    ],
    dependencies: [{ key: "gate", kind: undefined }],
  });
  await stage.edit({
    number: 2,
    more: [{ method: "tick", entrypoint: "timer({ interval: 60 })", handler: "() => {}" }],
    dependencies: "extra: provider(() => ({ get: () => 1 }))",
  });
  await stage.runner.reload();
  const { entrypoints, dependencies } = stage.container.extensions;
  assert.deepEqual(entrypoints[2], {
    kind: "timer",
    method: "tick",
    options: { interval: 60, eager: false },
  });
  assert.deepEqual(dependencies.map(({ key }) => key), ["gate", "extra"]);
});
