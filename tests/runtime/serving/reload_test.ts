import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import assert from "node:assert/strict";
import { connect, run, type Running, type RunOptions } from "../../../extensions/run.ts";
import { rpcTopology } from "../../../extensions/rpc/topology.ts";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { Transport } from "../../../runtime/message/transport.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { EditedModules, type Version } from "../../fixtures/edited_module.ts";
import { GateService } from "../../fixtures/gate_service.ts";

configureLogging({ write: () => {} });

const NAME = "enoki_test_edited";

/** A service that a test edits while it is served, with a client. */
class Stage implements AsyncDisposable {
  readonly modules: EditedModules;
  readonly running: Running;
  readonly gate: GateService;
  readonly #broker: MemoryBroker;
  readonly #cluster: Awaited<ReturnType<typeof connect>>;

  constructor(
    modules: EditedModules,
    running: Running,
    gate: GateService,
    broker: MemoryBroker,
    cluster: Awaited<ReturnType<typeof connect>>,
  ) {
    this.modules = modules;
    this.running = running;
    this.gate = gate;
    this.#broker = broker;
    this.#cluster = cluster;
  }

  static async open(version: Version | string, options: RunOptions = {}, suffix = ""): Promise<Stage> {
    const broker = new MemoryBroker();
    const modules = await EditedModules.open();
    const path = await modules.write("service.ts", version);
    const gate = await GateService.open(memory({ broker }));
    const running = await run([`${path}${suffix}`], {
      broker: memory({ broker }),
      threads: { permissions: "all" },
      ...options,
    });
    return new Stage(modules, running, gate, broker, await connect({ broker: memory({ broker }) }));
  }

  /** Writes another version and reloads. */
  async edit(version: Version | string): Promise<readonly string[]> {
    await this.modules.write("service.ts", version);
    return await this.running.reload();
  }

  call(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#cluster.client(NAME)[method]!(...args);
  }

  /** A transport of its own to the same broker. */
  async transport(): Promise<Transport> {
    const transport = memory({ broker: this.#broker });
    await transport.connect();
    return transport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
    await this.running[Symbol.asyncDispose]();
    await this.gate[Symbol.asyncDispose]();
    await this.modules[Symbol.asyncDispose]();
  }
}

const MORE = { method: "extra", entrypoint: "rpc()", handler: "() => 'extra'" };

for (
  const [what, next] of [
    ["the same entrypoints", { number: 2 }],
    ["other entrypoints", { number: 2, more: [MORE] }],
  ] as const
) {
  Deno.test(`Running.reload() to ${what} sends new calls to new threads while old ones finish`, async () => {
    await using stage = await Stage.open({ number: 1 });
    const old = stage.call("hold", "the door");
    const held = await stage.gate.arrival("the door");
    assert.deepEqual(await stage.edit(next), [NAME]);
    assert.equal(await stage.call("version"), 2);
    held.release();
    assert.equal(await old, 1);
  });

  Deno.test(`Running.shutdown() after a reload to ${what} waits for calls of the former version`, async () => {
    await using stage = await Stage.open({ number: 1 });
    const old = stage.call("hold", "the door");
    const held = await stage.gate.arrival("the door");
    await stage.edit(next);
    const shutdown = stage.running.shutdown();
    held.release();
    assert.equal(await old, 1);
    await shutdown;
    await stage.running.finished;
  });

  Deno.test(`Running.reload() to ${what} disposes the providers of the former version`, async () => {
    const dependencies = `last: provider((host) => ({
      get: () => undefined,
      [Symbol.asyncDispose]: () =>
        host.messenger.publish({ exchange: "", routingKey: "enoki_test_disposed", body: "1", properties: {} }),
    }))`;
    await using stage = await Stage.open({ number: 1, dependencies });
    await using transport = await stage.transport();
    await transport.declare({ queues: [{ name: "enoki_test_disposed" }] });
    const { promise, resolve } = Promise.withResolvers<void>();
    await transport.consume("enoki_test_disposed", () => {
      resolve();
      return Promise.resolve("ack");
    }, { prefetch: 1 });
    await stage.edit(next);
    await promise;
  });
}

Deno.test("Running.reload() to the same entrypoints keeps their hosts", async () => {
  await using stage = await Stage.open({ number: 1 });
  const container = stage.running.containers.get(NAME);
  await stage.edit({ number: 2, dependencies: "other: provider(() => ({ get: () => 1 }))" });
  assert.equal(stage.running.containers.get(NAME), container);
  assert.deepEqual(container!.manifest.dependencies.map(({ key }) => key), ["gate", "other"]);
});

Deno.test("Running.reload() adds and removes entrypoints", async () => {
  await using stage = await Stage.open({ number: 1 });
  await stage.edit({ number: 2, more: [MORE] });
  assert.equal(await stage.call("extra"), "extra");
  await stage.edit({ number: 3 });
  assert.equal(await stage.call("version"), 3);
  await assert.rejects(stage.call("extra"), /extra/);
});

Deno.test("Running.reload() serves what a module exports in addition", async () => {
  await using stage = await Stage.open({ number: 1 });
  const other = (await Deno.readTextFile(stage.modules.path("service.ts")))
    .replace(/^import.*\n/, "").replaceAll(NAME, "enoki_test_second").replace(/^void.*$/m, "");
  const both = await Deno.readTextFile(stage.modules.path("service.ts")) + other;
  assert.deepEqual(await stage.edit(both), [NAME, "enoki_test_second"]);
  assert.equal(stage.running.containers.get("enoki_test_second")?.state, "running");
});

Deno.test("Running.reload() reloads one service of several where one is served", async () => {
  await using stage = await Stage.open({ number: 1 }, {}, `:${NAME}`);
  const second = `\nexport const second = service("enoki_test_second", { entrypoints: {}, handlers: {} });`;
  await stage.modules.write("service.ts", { number: 2 });
  const text = await Deno.readTextFile(stage.modules.path("service.ts"));
  assert.deepEqual(await stage.edit(text + second), [NAME]);
  assert.equal(await stage.call("version"), 2);
});

/** What is wrong with a new version, and what the error says. */
const BROKEN: readonly (readonly [string, Version | string, RegExp])[] = [
  ["makes no sense", "export default {", /service\.ts:1:/],
  ["imports what is not there", { number: 2, before: 'import "./gone.ts";' }, /gone\.ts|service\.ts:2:/],
  ["throws", { number: 2, before: 'throw new Error("on purpose");' }, /on purpose/],
  [
    "has a provider that cannot be set up",
    {
      number: 2,
      dependencies: `bad: provider(() => ({
        setup() { throw new Error("no database"); },
        get: () => 1,
      }))`,
    },
    /^Cannot set up service "enoki_test_[a-z_]+": Error: no database\n/,
  ],
  ["exports another service", { number: 2, name: "enoki_test_other" }, /no longer exports service/],
  ["exports none", "export const nothing = 1;", /exports no service/],
  [
    "has an entrypoint of no known kind",
    {
      number: 2,
      more: [{ method: "odd", entrypoint: '{ ...rpc(), kind: "odd" } as any', handler: "() => 1" }],
    },
    /no extension provides entrypoints of kind "odd"/,
  ],
];

for (const [what, version, message] of BROKEN) {
  Deno.test(`Running.reload() of a module that ${what} leaves the former version serving`, async () => {
    await using stage = await Stage.open({ number: 1 });
    await assert.rejects(stage.edit(version), (error: Error) => {
      assert.match(`${error.message}\n${error.stack}`, message);
      return true;
    });
    assert.equal(await stage.call("version"), 1);
    await stage.edit({ number: 3 });
    assert.equal(await stage.call("version"), 3);
  });
}

Deno.test("Running.reload() to a version that the broker refuses leaves the former one serving", async () => {
  await using stage = await Stage.open({ number: 1 });
  await using transport = await stage.transport();
  await transport.declare({ exchanges: [{ name: "other.events", type: "fanout" }] });
  const entrypoint = 'event("other", "thing")';
  const before = `import { event } from ${JSON.stringify(new URL("../../../mod.ts", import.meta.url).href)};`;
  const more = [{ method: "handle", entrypoint, handler: "() => {}" }];
  await assert.rejects(stage.edit({ number: 2, before, more }), /other\.events/);
  assert.equal(await stage.call("version"), 1);
  assert.equal(stage.running.containers.get(NAME)?.state, "running");
});

Deno.test("Running.reload() rejects a module that is not served", async () => {
  await using stage = await Stage.open({ number: 1 });
  await assert.rejects(stage.running.reload("./nowhere.ts"), {
    name: "TypeError",
    message: /^Cannot reload .*nowhere\.ts: it is not served, only file:/,
  });
});

Deno.test("Running.reload() rejects where threads are inline, whose code is never new", async () => {
  await using stage = await Stage.open({ number: 1 }, { threads: { permissions: "all", kind: "inline" } });
  await assert.rejects(stage.running.reload(), /inline threads load each module only once/);
});

Deno.test("Running.reload() stops when its signal aborts", async () => {
  await using stage = await Stage.open({ number: 1 });
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  await stage.modules.write("service.ts", { number: 2 });
  const reloading = stage.running.reload(undefined, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(reloading, reason);
  assert.equal(await stage.call("version"), 1);
});

Deno.test("Running.shutdown() stops a reload", async () => {
  await using stage = await Stage.open({ number: 1 });
  await stage.modules.write("service.ts", { number: 2, before: "await new Promise(() => {});" });
  const reloading = assert.rejects(stage.running.reload(), { name: "AbortError" });
  await stage.running.shutdown();
  await reloading;
  await stage.running.finished;
});

Deno.test("Running.reload() replaces HTTP rules while the server listens on", async () => {
  const show = (answer: string) => ({
    method: "show",
    entrypoint: 'http("GET", "/show")',
    handler: `() => "${answer}"`,
  });
  const wait = {
    method: "wait",
    entrypoint: 'http("GET", "/wait")',
    handler: 'async ({ gate }: any) => { await gate.wait("a request"); return "old"; }',
  };
  const config = { WEB_SERVER_ADDRESS: "127.0.0.1:0" };
  await using stage = await Stage.open({ number: 1, more: [show("old"), wait] }, { config });
  const { http } = stage.running;
  const text = async (path: string) => {
    const response = await fetch(`${http}${path}`);
    return [response.status, await response.text()];
  };
  const waiting = text("/wait");
  const held = await stage.gate.arrival("a request");
  await stage.edit({ number: 2, more: [show("new")] });
  assert.deepEqual(await text("/show"), [200, "new"]);
  assert.equal((await text("/wait"))[0], 404);
  assert.equal(stage.running.http, http);
  held.release();
  assert.deepEqual(await waiting, [200, "old"]);
});

Deno.test("Running.reload() begins to listen with the first HTTP rule, and goes on without any", async () => {
  const show = { method: "show", entrypoint: 'http("GET", "/show")', handler: "() => 'shown'" };
  await using stage = await Stage.open({ number: 1 }, { config: { WEB_SERVER_ADDRESS: "127.0.0.1:0" } });
  assert.equal(stage.running.http, undefined);
  await stage.edit({ number: 2, more: [show] });
  const shown = await fetch(`${stage.running.http}/show`);
  assert.equal(await shown.text(), "shown");
  await stage.edit({ number: 3 });
  const gone = await fetch(`${stage.running.http}/show`);
  assert.equal(gone.status, 404);
  await gone.body?.cancel();
});

Deno.test("Running.reload() to rules that clash leaves the former ones served", async () => {
  const show = { method: "show", entrypoint: 'http("GET", "/show")', handler: "() => 'mine'" };
  const config = { WEB_SERVER_ADDRESS: "127.0.0.1:0" };
  await using stage = await Stage.open({ number: 1, more: [show] }, { config });
  const twice = { ...show, method: "again" };
  await assert.rejects(stage.edit({ number: 2, more: [show, twice] }), /Cannot serve GET \/show twice/);
  const response = await fetch(`${stage.running.http}/show`);
  assert.equal(await response.text(), "mine");
});

Deno.test("Running.reload() lets one reload finish before the next", async () => {
  await using stage = await Stage.open({ number: 1 });
  await stage.modules.write("service.ts", { number: 2 });
  const first = stage.running.reload();
  await stage.modules.write("service.ts", { number: 3 });
  const second = stage.running.reload();
  await Promise.all([first, second]);
  assert.equal(await stage.call("version"), 3);
});

for (const [kind, open] of Object.entries(BROKERS)) {
  const name = `Running.reload() over ${kind} loses no call, whatever changes`;
  Deno.test({ name, ignore: isMissing(kind), fn: async () => await editUnderLoad(open) });
}

/** Calls without a pause while versions come, some of which change the entrypoints; each call must be answered. */
async function editUnderLoad(open: (typeof BROKERS)[string]): Promise<void> {
  const broker = await open();
  try {
    await using modules = await EditedModules.open();
    const path = await modules.write("service.ts", { number: 0 });
    await using cleaner = await broker.transport();
    await using running = await run([path], {
      broker: await broker.transport(),
      threads: { permissions: "all" },
    });
    await using cluster = await connect({ broker: await broker.transport() });
    const service = cluster.client(NAME);
    const answers: unknown[] = [];
    let over = false;
    const callers = Promise.all(Array.from({ length: 8 }, async () => {
      while (!over) answers.push(await service["version"]!());
    }));
    try {
      while (!answers.includes(0)) await service["version"]!();
      for (let number = 1; number <= 6; number++) {
        const more = number % 3 === 0 ? [MORE] : [];
        await modules.write("service.ts", { number, more });
        await running.reload();
        // A former instance may get a call in the moment in which it stops.
        while (await service["version"]!() !== number || !answers.includes(number));
      }
    } finally {
      over = true;
      await callers;
    }
    assert.deepEqual([...new Set(answers)].sort(), [0, 1, 2, 3, 4, 5, 6]);
    await running.shutdown();
    await cleaner.deleteQueue(rpcTopology(DEFAULT_EXCHANGE).queueOf(NAME));
  } finally {
    await broker[Symbol.asyncDispose]();
  }
}

Deno.test("ServiceLoadError tells of a service that is gone by its name", async () => {
  await using stage = await Stage.open({ number: 1 });
  await assert.rejects(stage.edit({ number: 2, name: "renamed" }), (error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, new RegExp(`no longer exports service "${NAME}", which is served`));
    return true;
  });
});
