import { Telemetry } from "../../../runtime/telemetry/telemetry.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import { Section } from "../../../runtime/config/section.ts";
import { runtimeSettings } from "../../../runtime/serving/settings.ts";
import assert from "node:assert/strict";
import { memory } from "../../../extensions/memory/mod.ts";
import { RpcCaller } from "../../../extensions/rpc/caller.ts";
import type { EntrypointHost, HostedEntrypoint } from "../../../runtime/hosting/host.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { Runner, type RunnerOptions } from "../../../runtime/serving/runner.ts";

configureLogging({ write: () => {} });

const CHAIN = new URL("../../fixtures/services/chain.ts", import.meta.url);

/** What entrypoints of the test's own do, by service. */
type Behaviour = (
  host: EntrypointHost,
) => { readonly setup?: () => Promise<void>; readonly start?: () => Promise<void> };

/** Options with a connected transport, and RPC entrypoints that only tell when they start and stop. */
async function stage(behave: Behaviour = () => ({})) {
  const transport = memory();
  await transport.connect();
  const order: string[] = [];
  const options: RunnerOptions = {
    telemetry: new Telemetry(),
    config: {},
    settings: runtimeSettings(new Section({}), { permissions: "all" }),
    wiring: {
      transport,
      messengerOf: (service) => new RpcCaller(transport, { caller: service, exchange: DEFAULT_EXCHANGE }),
      dependencies: {},
      around: [],
      entrypointsOf: () =>
        Promise.resolve({
          rpc: (_entries: readonly HostedEntrypoint[], host: EntrypointHost) => {
            const name = host.service.replace("enoki_test_", "");
            const { setup, start } = behave(host);
            return {
              ...(setup && { setup }),
              start: async () => {
                order.push(`${name} starts`);
                await start?.();
              },
              stop: () => Promise.resolve(void order.push(`${name} stops`)),
              [Symbol.asyncDispose]: () => Promise.resolve(),
            };
          },
        }),
    },
  };
  return { options, order, transport, [Symbol.asyncDispose]: () => transport.close() };
}

Deno.test("Runner.start() resolves when all services run", async () => {
  await using each = await stage();
  await using runner = await Runner.start([CHAIN], each.options);
  assert.deepEqual([...runner.containers.values()].map(({ state }) => state), [
    "running",
    "running",
    "running",
  ]);
  assert.deepEqual(each.order.toSorted(), ["inner starts", "middle starts", "outer starts"]);
});

Deno.test("Runner.start() stops the services that started when another cannot", async () => {
  const reason = new Error("the queue has other properties");
  await using each = await stage(({ service }) =>
    service === "enoki_test_middle" ? { start: () => Promise.reject(reason) } : {}
  );
  await assert.rejects(Runner.start([CHAIN], each.options), reason);
  for (const name of ["inner", "outer"]) assert.ok(each.order.includes(`${name} stops`), each.order.join());
});

Deno.test("Runner.start() refuses to serve nothing", async () => {
  await using each = await stage();
  await assert.rejects(Runner.start([], each.options), TypeError);
});

Deno.test("Runner.shutdown() stops all, is idempotent, and leaves the transport open", async () => {
  await using each = await stage();
  const runner = await Runner.start([CHAIN], each.options);
  await Promise.all([runner.shutdown(), runner.shutdown()]);
  await runner.finished;
  assert.equal(each.order.filter((step) => step.endsWith("stops")).length, 3);
  await each.transport.declare({ queues: [{ name: "still open" }] });
});

Deno.test("Runner.finished rejects with the failure of one container, after all have ended", async () => {
  const hosts = new Map<string, EntrypointHost>();
  await using each = await stage((host) => {
    hosts.set(host.service, host);
    return {};
  });
  const runner = await Runner.start([CHAIN], each.options);
  const reason = new Error("the listener is gone");
  hosts.get("enoki_test_inner")!.watch(Promise.reject(reason));
  await assert.rejects(runner.finished, reason);
  const states = Object.fromEntries([...runner.containers].map(([name, { state }]) => [name, state]));
  assert.deepEqual(states, {
    enoki_test_inner: "failed",
    enoki_test_middle: "stopped",
    enoki_test_outer: "stopped",
  });
});

Deno.test("Runner.finished rejects also where a container fails as soon as it starts", async () => {
  const reason = new Error("failed at once");
  await using each = await stage((host) => ({
    start: () => {
      if (host.service === "enoki_test_outer") host.watch(Promise.reject(reason));
      return Promise.resolve();
    },
  }));
  const runner = await Runner.start([CHAIN], each.options);
  await assert.rejects(runner.finished, reason);
});
