import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { extension } from "../../runtime/hosting/extension.ts";
import { connect, run } from "../../extensions/run.ts";
import { BrokerError, ServiceLoadError } from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type * as chainModule from "../fixtures/services/chain.ts";
import { GateService } from "../fixtures/gate_service.ts";
import { serveInMemory, servicePath } from "../fixtures/serve_in_memory.ts";

const WAITING = "enoki_test_waiting";

configureLogging({ write: () => {} });

Deno.test("run() serves every service that a module exports", async () => {
  const broker = new MemoryBroker();
  await using running = await serveInMemory(broker, ["chain.ts"]);
  assert.deepEqual([...running.containers.keys()].sort(), [
    "enoki_test_inner",
    "enoki_test_middle",
    "enoki_test_outer",
  ]);
  for (const container of running.containers.values()) assert.equal(container.state, "running");
});

Deno.test("run() serves the one service that is named", async () => {
  await using byName = await serveInMemory(new MemoryBroker(), ["chain.ts:enoki_test_inner"]);
  assert.deepEqual([...byName.containers.keys()], ["enoki_test_inner"]);
  await using byExport = await serveInMemory(new MemoryBroker(), ["chain.ts:middle"]);
  assert.deepEqual([...byExport.containers.keys()], ["enoki_test_middle"]);
});

Deno.test("run() refuses a name that the module does not export", async () => {
  await assert.rejects(serveInMemory(new MemoryBroker(), ["chain.ts:absent"]), (error: Error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, /no service "absent", only "enoki_test_inner"/);
    return true;
  });
});

Deno.test("run() refuses what is no module and no service, and says what it takes", async () => {
  const service = { name: "a" };
  await assert.rejects(
    run([service] as never, { broker: "memory:" }),
    /^TypeError: .*neither a path, nor a URL, nor a service/,
  );
  await assert.rejects(
    run(service as never, { broker: "memory:" }),
    /^TypeError: .*an array of paths, URLs or services$/,
  );
  await assert.rejects(run([], { broker: "memory:" }), /^TypeError: .*Name at least one$/);
});

Deno.test("run() refuses two services of one name", async () => {
  await assert.rejects(serveInMemory(new MemoryBroker(), ["waiting.ts", "twin.ts"]), (error: Error) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, /two services named "enoki_test_waiting".*waiting\.ts.*twin\.ts/);
    return true;
  });
});

Deno.test("run() refuses limits that make no sense, and leaves nothing running", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-prompt",
      new URL("../fixtures/refused_run.ts", import.meta.url).pathname,
    ],
    stderr: "null",
    signal: AbortSignal.timeout(20_000),
  });
  const { code, stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "RangeError");
  assert.equal(code, 0);
});

Deno.test("run() tells what it does", async () => {
  const steps: string[] = [];
  await using _running = await serveInMemory(new MemoryBroker(), ["twin.ts"], {
    onProgress: (progress) => steps.push(progress.step),
  });
  assert.deepEqual(steps, ["loading", "loaded", "serving"]);
});

Deno.test("run() stops starting when its signal aborts", async () => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const serving = serveInMemory(new MemoryBroker(), ["chain.ts"], {
    signal: controller.signal,
    onProgress: ({ step }) => step === "loaded" && controller.abort(reason),
  });
  await assert.rejects(serving, reason);
});

Deno.test("run() passes call id stack, context data and a shrinking deadline from service to service", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["chain.ts"]);
  await using cluster = await connect({ broker: memory({ broker }), headers: { language: "en", count: -7 } });
  const before = Date.now();
  const outer = cluster.client<typeof chainModule.outer>("enoki_test_outer", { timeout: 20_000 });
  const [first, second, third] = await outer.trace();
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.match(first.id, /^enoki_test_outer\.trace\./);
  assert.match(first.stack[0]!, /^standalone_rpc_proxy\.call\./);
  assert.deepEqual(first.stack.slice(1), [first.id]);
  assert.deepEqual(second.stack, [...first.stack, second.id]);
  assert.deepEqual(third.stack, [...second.stack, third.id]);
  assert.deepEqual(first.headers, { language: "en", count: -7 });
  assert.deepEqual(second.headers, { language: "en", count: -7, added: "by outer" });
  assert.deepEqual(third.headers, second.headers);
  const [one, two, three] = [first.deadline!, second.deadline!, third.deadline!];
  assert.ok(one > two && two > three && three > before, `${one}, ${two}, ${three}`);
});

Deno.test("run() passes a deadline on that is nearer than the client's own timeout", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["chain.ts"]);
  await using cluster = await connect({ broker: memory({ broker }), timeout: 3_000 });
  const [first, , third] = await cluster.client<typeof chainModule.outer>("enoki_test_outer").trace();
  const later = third!.deadline! - first!.deadline!;
  assert.ok(later >= 0 && later < 1_000, `${later} ms`);
});

Deno.test("Running.shutdown() lets running calls finish, then disposes dependencies", async () => {
  const broker = new MemoryBroker();
  const disposed: string[] = [];
  const listener = memory({ broker });
  await listener.connect();
  await listener.declare({ queues: [{ name: "enoki_test_disposed" }] });
  await listener.consume("enoki_test_disposed", ({ body }) => {
    disposed.push(new TextDecoder().decode(body));
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  await using gate = await GateService.open(memory({ broker }));
  const running = await serveInMemory(broker, ["waiting.ts"]);
  await using cluster = await connect({ broker: memory({ broker }) });
  const call = cluster.client(WAITING).hold!("the door");
  const held = await gate.arrival("the door");
  const shutdown = running.shutdown();
  assert.deepEqual(disposed, []);
  held.release();
  assert.equal(await call, "the door");
  await Promise.all([shutdown, running.shutdown()]);
  await running.finished;
  assert.deepEqual(disposed, [WAITING]);
  await listener.close();
});

Deno.test("Running[Symbol.asyncDispose]() waits for running calls as well", async () => {
  const broker = new MemoryBroker();
  await using gate = await GateService.open(memory({ broker }));
  await using cluster = await connect({ broker: memory({ broker }) });
  let call: Promise<unknown>;
  {
    await using _running = await serveInMemory(broker, ["waiting.ts"]);
    call = cluster.client(WAITING).hold!("the gate");
    (await gate.arrival("the gate")).release();
  }
  assert.equal(await call, "the gate");
});

Deno.test("Running.shutdown() by force after the grace gives the delivery back to its queue", async () => {
  const broker = new MemoryBroker();
  await using gate = await GateService.open(memory({ broker }));
  const running = await serveInMemory(broker, ["waiting.ts"], { config: { grace: 0.2 } });
  await using cluster = await connect({ broker: memory({ broker }) });
  const call = cluster.client(WAITING).hold!("a while");
  await gate.arrival("a while");
  const start = performance.now();
  await running.shutdown();
  assert.ok(performance.now() - start >= 190);
  gate.open("a while");
  await using _again = await serveInMemory(broker, ["waiting.ts"]);
  assert.equal(await call, "a while");
});

Deno.test("Running.shutdown() stops at once when its signal aborts, or that of a second call", async () => {
  const broker = new MemoryBroker();
  await using gate = await GateService.open(memory({ broker }));
  const running = await serveInMemory(broker, ["waiting.ts"]);
  await using cluster = await connect({ broker: memory({ broker }) });
  const call = cluster.client(WAITING).hold!("for ever");
  call.catch(() => {});
  await gate.arrival("for ever");
  const polite = running.shutdown();
  await running.shutdown({ signal: AbortSignal.abort() });
  await polite;
});

Deno.test("Running.finished rejects when a container fails, and the others are stopped", async () => {
  const reason = new Error("the task in the background failed");
  const running = await serveInMemory(new MemoryBroker(), ["chain.ts"], {
    extensions: [extension({
      entrypoints: {
        rpc: (_entries, host) => ({
          start: () => {
            const fails = host.service === "enoki_test_middle";
            host.watch(fails ? Promise.reject(reason) : Promise.resolve());
            return Promise.resolve();
          },
          stop: () => Promise.resolve(),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      },
    })],
  });
  await assert.rejects(running.finished, { name: "ExtensionError", cause: reason });
  assert.equal(running.containers.get("enoki_test_middle")?.state, "failed");
  assert.equal(running.containers.get("enoki_test_inner")?.state, "stopped");
  assert.equal(running.containers.get("enoki_test_outer")?.state, "stopped");
});

Deno.test("Running.finished may reject unheard", async () => {
  const running = await serveInMemory(new MemoryBroker(), ["twin.ts"], {
    extensions: [extension({
      entrypoints: {
        rpc: (_entries, host) => ({
          start: () => Promise.resolve(host.watch(Promise.reject(new Error("nobody listens")))),
          stop: () => Promise.resolve(),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      },
    })],
  });
  await running.shutdown();
});

Deno.test("run() gives each service the permissions and limits that its configuration says", async () => {
  const broker = new MemoryBroker();
  await using running = await serveInMemory(broker, ["chain.ts"], {
    config: {
      max_workers: 2,
      services: { enoki_test_inner: { permissions: { env: ["HOME"] }, max_workers: 1 } },
    },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.client("enoki_test_inner").environment!("HOME"), Deno.env.get("HOME"));
  await assert.rejects(cluster.client("enoki_test_inner").environment!("PATH"), /NotCapable/);
  await assert.rejects(cluster.client("enoki_test_middle").environment!("HOME"), /NotCapable/);
  assert.equal(running.containers.size, 3);
});

Deno.test("run() lets a service's own permissions win over those for all", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["chain.ts"], {
    threads: { permissions: { env: true } },
    config: { services: { enoki_test_inner: { permissions: "none" } } },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.client("enoki_test_middle").environment!("HOME"), Deno.env.get("HOME"));
  await assert.rejects(cluster.client("enoki_test_inner").environment!("HOME"), /NotCapable/);
});

Deno.test("run() loads the module of a named service with the environment of that service", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["reads_at_top.ts:reads_at_top"], {
    config: { services: { reads_at_top: { env: { ENOKI_TOKEN: 5 } } } },
  });
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(await cluster.method("reads_at_top", "token")(), "5");
});

Deno.test("run() gives a service's own calls the timeout that its configuration says", async () => {
  const broker = new MemoryBroker();
  await using _running = await serveInMemory(broker, ["calling.ts"], {
    config: { call_timeout: 60, services: { enoki_test_calling: { call_timeout: 7 } } },
  });
  await using gate = await GateService.open(memory({ broker }));
  await using cluster = await connect({ broker: memory({ broker }) });
  const call = cluster.client("enoki_test_calling").ask!("how long");
  const { request, release } = await gate.arrival("how long");
  const left = Number(request.headers["nameko.enoki_timeout"]);
  release();
  await call;
  assert.ok(left > 5_000 && left <= 7_001, `${left} ms`);
});

Deno.test("run() fails where its broker does, and closes what it opened", async () => {
  await assert.rejects(run([servicePath("twin.ts")], { broker: "amqp://127.0.0.1:1" }), BrokerError);
});
