import { Telemetry } from "../../../runtime/telemetry/telemetry.ts";
import { DEFAULT_EXCHANGE } from "../../../extensions/rpc/settings.ts";
import { Section } from "../../../runtime/config/section.ts";
import { runtimeSettings } from "../../../runtime/serving/settings.ts";
import assert from "node:assert/strict";
import { memory } from "../../../extensions/memory/mod.ts";
import { RpcCaller } from "../../../extensions/rpc/caller.ts";
import type { EntrypointHost, HostedEntrypoint } from "../../../runtime/hosting/host.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { ServiceSet, type ServiceSetOptions } from "../../../runtime/serving/service_set.ts";
import { serviceSource } from "../../../runtime/serving/service_source.ts";

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
  const options: ServiceSetOptions = {
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

/** A set that serves the three services of a chain. */
async function serveChain(options: ServiceSetOptions): Promise<ServiceSet> {
  const services = new ServiceSet(options);
  await services.serve([serviceSource(CHAIN)]);
  return services;
}

Deno.test("ServiceSet.serve() resolves when all services run", async () => {
  await using each = await stage();
  await using services = await serveChain(each.options);
  assert.deepEqual([...services.containers.values()].map(({ state }) => state), [
    "running",
    "running",
    "running",
  ]);
  assert.deepEqual(each.order.toSorted(), ["inner starts", "middle starts", "outer starts"]);
});

Deno.test("ServiceSet.serve() stops the services that started when another cannot", async () => {
  const reason = new Error("the queue has other properties");
  await using each = await stage(({ service }) =>
    service === "enoki_test_middle" ? { start: () => Promise.reject(reason) } : {}
  );
  await assert.rejects(serveChain(each.options), reason);
  for (const name of ["inner", "outer"]) assert.ok(each.order.includes(`${name} stops`), each.order.join());
});

Deno.test("ServiceSet.shutdown() stops all, is idempotent, and leaves the transport open", async () => {
  await using each = await stage();
  const services = await serveChain(each.options);
  await Promise.all([services.shutdown(), services.shutdown()]);
  await services.finished;
  assert.equal(each.order.filter((step) => step.endsWith("stops")).length, 3);
  await each.transport.declare({ queues: [{ name: "still open" }] });
});

Deno.test("ServiceSet.finished rejects with the failure of one container, after all have ended", async () => {
  const hosts = new Map<string, EntrypointHost>();
  await using each = await stage((host) => {
    hosts.set(host.service, host);
    return {};
  });
  const services = await serveChain(each.options);
  const reason = new Error("the listener is gone");
  hosts.get("enoki_test_inner")!.watch(Promise.reject(reason));
  await assert.rejects(services.finished, reason);
  const states = Object.fromEntries([...services.containers].map(([name, { state }]) => [name, state]));
  assert.deepEqual(states, {
    enoki_test_inner: "failed",
    enoki_test_middle: "stopped",
    enoki_test_outer: "stopped",
  });
});

Deno.test("ServiceSet.finished rejects also where a container fails as soon as it starts", async () => {
  const reason = new Error("failed at once");
  await using each = await stage((host) => ({
    start: () => {
      if (host.service === "enoki_test_outer") host.watch(Promise.reject(reason));
      return Promise.resolve();
    },
  }));
  const services = await serveChain(each.options);
  await assert.rejects(services.finished, reason);
});
