import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { SILENT_MESSENGER } from "../../fixtures/silent_messenger.ts";
import { Section } from "../../../runtime/config/section.ts";
import { runtimeSettings } from "../../../runtime/serving/settings.ts";
import assert from "node:assert/strict";
import { memory } from "../../../extensions/memory/mod.ts";
import { encodeRequest } from "../../../extensions/rpc/wire.ts";
import { Container } from "../../../runtime/serving/container.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { Entrypoint, EntrypointHost } from "../../../runtime/hosting/host.ts";
import { InlineThreads } from "../../../runtime/spawning/inline_threads.ts";
import { createLog } from "../../../runtime/log/log.ts";
import type { Manifest } from "../../../runtime/service/manifest.ts";
import type { Outcome } from "../../../runtime/message/outcome.ts";
import { entrypointOf, fixtureUrl, PoolStage } from "../../conformance/pool_stage.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

const ECHO = entrypointOf("working", "echo");
const HOLD = entrypointOf("working", "hold");

/** What an entrypoint of the test's own does beside telling. */
type Behaviour = Partial<Record<"setup" | "start" | "stop" | "dispose", () => Promise<void> | void>>;

/** A container with entrypoints that tell the order of events. */
class Stage implements AsyncDisposable {
  readonly order: string[] = [];
  readonly hosts = new Map<string, EntrypointHost>();
  readonly stage: PoolStage;
  readonly container: Container;
  readonly #transport = memory();

  constructor(
    behaviours: Readonly<Record<string, Behaviour>>,
    kinds: readonly string[] = Object.keys(behaviours),
    maxWorkers = 1,
    dependencies: readonly string[] = [],
  ) {
    this.stage = new PoolStage(new InlineThreads(fixtureUrl("working")), { maxWorkers });
    const manifest: Manifest = {
      name: "working",
      dependencies: dependencies.map((kind) => ({ key: kind, kind, options: {} })),
      entrypoints: kinds.map((kind) => ({ method: "echo", kind, options: {} })),
    };
    const registry = Object.fromEntries(
      Object.entries(behaviours).map((
        [kind, behaviour],
      ) => [kind, (_entries: unknown, host: EntrypointHost) => {
        this.hosts.set(kind, host);
        return this.#entrypoint(kind, behaviour);
      }]),
    );
    void this.stage.logged("disposed").then(() => this.order.push("providers disposed"));
    this.container = new Container({
      clock: SYSTEM_CLOCK,
      manifest,
      pool: this.stage.pool,
      transport: this.#transport,
      messenger: SILENT_MESSENGER,
      config: {},
      settings: runtimeSettings(new Section({})),
      entrypoints: registry,
      dependencies: {
        known: async ({ key }) => {
          await Promise.resolve();
          this.order.push(`dependency ${key} setup`);
        },
      },
      metrics: new Metrics(),
      log: createLog({ emit: (record) => this.stage.records.push(record) }),
      own: [{
        [Symbol.asyncDispose]: () => {
          this.order.push("own disposed");
          return Promise.resolve();
        },
      }],
    });
  }

  /** Makes a container that runs. */
  static async open(behaviours: Readonly<Record<string, Behaviour>>, maxWorkers = 1): Promise<Stage> {
    const stage = new Stage(behaviours, undefined, maxWorkers);
    await stage.stage.pool.start();
    await stage.container.start();
    return stage;
  }

  run(entrypoint: number, ...args: readonly unknown[]): Promise<Outcome> {
    const body = encodeRequest(args);
    const entry = { index: entrypoint, method: "echo", kind: "first", options: {}, timeout: undefined };
    return this.hosts.get("first")!.run(entry, { body, contentType: undefined, headers: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.container.shutdown({ signal: AbortSignal.abort() });
    await this.stage[Symbol.asyncDispose]();
    await this.#transport.close();
  }

  #entrypoint(kind: string, behaviour: Behaviour): Entrypoint {
    const tell = (step: keyof Behaviour) => async () => {
      this.order.push(`${kind} ${step}`);
      await behaviour[step]?.();
    };
    return {
      setup: tell("setup"),
      start: tell("start"),
      stop: tell("stop"),
      [Symbol.asyncDispose]: tell("dispose"),
    };
  }
}

/** A step that waits until the test lets it go on. */
function gatedStep() {
  const entered = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  return {
    entered: entered.promise,
    leave: left.resolve,
    step: () => {
      entered.resolve();
      return left.promise;
    },
  };
}

Deno.test("Container.start() lets no entrypoint start before all are set up", async () => {
  const { entered, leave, step: setup } = gatedStep();
  await using stage = new Stage({ first: {}, second: { setup } });
  await stage.stage.pool.start();
  const started = stage.container.start();
  await entered;
  assert.deepEqual(stage.order, ["first setup", "second setup"]);
  leave();
  await started;
  assert.deepEqual(stage.order.slice(2).sort(), ["first start", "second start"]);
  assert.equal(stage.container.state, "running");
});

Deno.test("Container.start() sets dependencies up before entrypoints", async () => {
  await using stage = new Stage({ first: {} }, undefined, 1, ["known"]);
  await stage.stage.pool.start();
  await stage.container.start();
  assert.deepEqual(stage.order, ["dependency known setup", "first setup", "first start"]);
});

Deno.test("Container.start() refuses dependencies of a kind that nobody provides", async () => {
  await using stage = new Stage({ first: {} }, undefined, 1, ["telegraph"]);
  await stage.stage.pool.start();
  await assert.rejects(stage.container.start(), ConfigurationError);
  assert.equal(stage.order.includes("first setup"), false);
});

Deno.test("Container.shutdown() ends the intake, then calls, entrypoints, providers and what it owns", async () => {
  await using stage = await Stage.open({ first: {}, second: {} });
  stage.order.length = 0;
  const call = stage.run(HOLD, "runs").then(({ status }) => stage.order.push(`call ${status}`));
  const held = await stage.stage.gate.arrival("runs");
  const shutdown = stage.container.shutdown();
  assert.equal(stage.container.state, "draining");
  assert.deepEqual(stage.order, ["first stop", "second stop"]);
  held.release();
  await Promise.all([call, shutdown]);
  assert.deepEqual(stage.order, [
    "first stop",
    "second stop",
    "call done",
    "first dispose",
    "second dispose",
    "providers disposed",
    "own disposed",
  ]);
  assert.equal(stage.container.state, "stopped");
  await stage.container.finished;
});

Deno.test("Container.shutdown() gives back calls that wait for a thread", async () => {
  await using stage = await Stage.open({ first: {} });
  const running = stage.run(HOLD, "runs");
  const held = await stage.stage.gate.arrival("runs");
  const waiting = stage.run(HOLD, "waits");
  const shutdown = stage.container.shutdown();
  assert.deepEqual(await waiting, { status: "unstarted", reason: "shed" });
  held.release();
  assert.equal((await running).status, "done");
  await shutdown;
});

Deno.test("Container.shutdown() is idempotent", async () => {
  await using stage = await Stage.open({ first: {} });
  await Promise.all([stage.container.shutdown(), stage.container.shutdown()]);
  await stage.container.shutdown();
  assert.equal(stage.order.filter((step) => step === "first stop").length, 1);
  assert.equal(stage.order.filter((step) => step === "providers disposed").length, 1);
});

Deno.test("Container[Symbol.asyncDispose]() is shutdown()", async () => {
  await using stage = await Stage.open({ first: {} });
  {
    await using container = stage.container;
    assert.equal(container.state, "running");
  }
  assert.equal(stage.container.state, "stopped");
});

Deno.test("Container.shutdown() gives running calls back once its signal aborts", async () => {
  await using stage = await Stage.open({ first: {} });
  const call = stage.run(HOLD, "runs");
  await stage.stage.gate.arrival("runs");
  const controller = new AbortController();
  const shutdown = stage.container.shutdown({ signal: controller.signal });
  controller.abort();
  assert.deepEqual(await call, { status: "unstarted", reason: "stopping" });
  await shutdown;
  assert.equal(stage.hosts.get("first")!.signal.aborted, true);
});

Deno.test("Container.shutdown() tells of the calls that it cuts short", async () => {
  await using stage = await Stage.open({ first: {} });
  const call = stage.run(HOLD, "runs");
  await stage.stage.gate.arrival("runs");
  await stage.container.shutdown({ signal: AbortSignal.abort() });
  await call;
  await stage.stage.logged(/^Cut 1 running call short: the service is to stop at once\./, {});
});

Deno.test("Container.shutdown() says that the calls which it cuts short had their time", async () => {
  await using stage = await Stage.open({ first: {} });
  const call = stage.run(HOLD, "runs");
  await stage.stage.gate.arrival("runs");
  await stage.container.shutdown({ signal: AbortSignal.timeout(0) });
  await call;
  await stage.stage.logged(/^Cut 1 running call short: the time for stopping is over\./, {});
});

Deno.test("Container.shutdown() heeds the signal of a second call", async () => {
  await using stage = await Stage.open({ first: {} });
  const call = stage.run(HOLD, "runs");
  await stage.stage.gate.arrival("runs");
  const polite = stage.container.shutdown();
  await stage.container.shutdown({ signal: AbortSignal.abort() });
  assert.deepEqual(await call, { status: "unstarted", reason: "stopping" });
  await polite;
});

Deno.test("Container.shutdown() stops all entrypoints though one cannot be stopped", async () => {
  await using stage = await Stage.open({
    first: { stop: () => Promise.reject(new Error("stuck")) },
    second: {},
  });
  await stage.container.shutdown();
  assert.ok(stage.order.includes("second dispose"));
  assert.ok(stage.order.includes("own disposed"));
  assert.match((await stage.stage.logged(/cleanly/)).message, /Error: stuck/);
});

Deno.test("Container.start() rejects with what an entrypoint failed with, after stopping the others", async () => {
  const reason = new Error("no such exchange");
  await using stage = new Stage({ first: {}, second: { start: () => Promise.reject(reason) } });
  await stage.stage.pool.start();
  await assert.rejects(stage.container.start(), reason);
  assert.equal(stage.container.state, "failed");
  assert.ok(stage.order.includes("first dispose"));
  assert.equal(stage.order.at(-1), "own disposed");
  await assert.rejects(stage.container.finished, reason);
});

Deno.test("Container.start() starts nothing if a setup fails", async () => {
  const reason = new Error("no such queue");
  await using stage = new Stage({ first: {}, second: { setup: () => Promise.reject(reason) } });
  await stage.stage.pool.start();
  await assert.rejects(stage.container.start(), reason);
  assert.equal(stage.order.some((step) => step.endsWith("start")), false);
});

Deno.test("Container.finished rejects with what a watched task failed with, once all has ended", async () => {
  await using stage = await Stage.open({ first: {} });
  const call = stage.run(HOLD, "runs");
  const held = await stage.stage.gate.arrival("runs");
  const reason = new Error("the consumer was cancelled");
  stage.hosts.get("first")!.watch(Promise.reject(reason));
  const finished = stage.container.finished.catch((error) => {
    stage.order.push("finished");
    throw error;
  });
  held.release();
  assert.equal((await call).status, "done");
  await assert.rejects(finished, reason);
  assert.deepEqual(stage.order.slice(-2), ["own disposed", "finished"]);
  assert.equal(stage.container.state, "failed");
});

Deno.test("Container.run() runs a handler past the transport", async () => {
  await using stage = await Stage.open({ first: {} });
  const outcome = await stage.container.run({
    entrypoint: ECHO,
    body: encodeRequest(["by hand"]),
    contentType: undefined,
    headers: undefined,
  });
  assert.deepEqual(outcome, { status: "done", body: '"by hand"' });
});

Deno.test("Container.changeDemand() tells its entrypoints", async () => {
  await using stage = await Stage.open({ first: {} });
  const told: number[] = [];
  stage.hosts.get("first")!.onDemand((demand) => told.push(demand));
  stage.container.changeDemand(7);
  assert.deepEqual(told, [7]);
});

Deno.test("new Container() refuses entrypoints of a kind that nobody provides", async () => {
  assert.throws(() => new Stage({ first: {} }, ["first", "telegraph"]), (error: Error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.match(error.message, /kind "telegraph"/);
    return true;
  });
  await Promise.resolve();
});

Deno.test("Container.start() serves a service without entrypoints until it is stopped", async () => {
  await using stage = new Stage({}, [], 1, ["known"]);
  await stage.stage.pool.start();
  await stage.container.start();
  assert.equal(stage.container.state, "running");
  await stage.container.shutdown();
  assert.deepEqual(stage.order, ["dependency known setup", "providers disposed", "own disposed"]);
});

const STARTED_ONCE =
  /^TypeError: Cannot start service "working": it is (\w+) already, and a container starts only once/;

Deno.test("Container.start() refuses to start what is starting, runs, is stopped or stopped before its start", async () => {
  const { entered, leave, step: setup } = gatedStep();
  await using stage = new Stage({ first: { setup } });
  await stage.stage.pool.start();
  const { container } = stage;
  const first = container.start();
  await entered;
  await assert.rejects(container.start(), STARTED_ONCE);
  leave();
  await first;
  await assert.rejects(container.start(), STARTED_ONCE);
  assert.equal(container.state, "running");
  await container.shutdown();
  await assert.rejects(container.start(), STARTED_ONCE);
  assert.equal(container.state, "stopped");
  await using never = new Stage({ first: {} });
  await never.container.shutdown();
  await assert.rejects(never.container.start(), STARTED_ONCE);
  assert.equal(never.order.includes("first setup"), false);
});

Deno.test("Container.start() refuses to start what is stopping", async () => {
  await using stage = await Stage.open({ first: {} });
  const call = stage.run(HOLD, "runs");
  const held = await stage.stage.gate.arrival("runs");
  const stopped = stage.container.shutdown();
  await assert.rejects(stage.container.start(), STARTED_ONCE);
  held.release();
  assert.equal((await call).status, "done");
  await stopped;
});

Deno.test("Container.start() rejects when the container is stopped meanwhile, and starts nothing more", async () => {
  const { entered, leave, step: setup } = gatedStep();
  await using stage = new Stage({ first: { setup } });
  await stage.stage.pool.start();
  const started = assert.rejects(stage.container.start(), {
    name: "ContainerStoppingError",
    message: 'Cannot start service "working": it was stopped meanwhile',
  });
  await entered;
  const stopped = stage.container.shutdown();
  leave();
  await Promise.all([started, stopped]);
  assert.equal(stage.container.state, "stopped");
  assert.deepEqual(stage.order.slice(0, 3), ["first setup", "first stop", "first dispose"]);
  await stage.container.finished;
});

Deno.test("Container.shutdown() stops an entrypoint that starts meanwhile, also after the stop", async () => {
  const { entered, leave, step: start } = gatedStep();
  await using stage = new Stage({ first: { start } });
  await stage.stage.pool.start();
  const started = assert.rejects(stage.container.start(), { name: "ContainerStoppingError" });
  await entered;
  await stage.container.shutdown();
  assert.equal(stage.container.state, "stopped");
  stage.order.length = 0;
  leave();
  await started;
  assert.deepEqual(stage.order, ["first stop", "first dispose"]);
});
