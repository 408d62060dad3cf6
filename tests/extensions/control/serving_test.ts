import assert from "node:assert/strict";
import { ControlClient } from "../../../extensions/control/control_client.ts";
import { CONTROL_EXCHANGE } from "../../../extensions/control/topology.ts";
import { ControlChannel } from "../../../extensions/control_channel.ts";
import { Settings } from "../../../extensions/settings.ts";
import { liveInstances, liveVersions } from "../../../extensions/control/live.ts";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import { getLog } from "../../../runtime/log/observe.ts";
import { brokerTest } from "../../fixtures/broker.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { answersTo, eventually, linesOfServing, openHost, withServing } from "./stage.ts";

Deno.test("Connection.services() lists what runs, with the methods that can be called", () =>
  withServing(["two_services.ts"], async (_transport, broker) => {
    await using cluster = await connect({ broker });
    assert.deepEqual(await eventually(() => cluster.services()), [
      { service: "orders", methods: ["place"], instances: 1 },
      { service: "stock", methods: ["count"], instances: 1 },
    ]);
  }));

Deno.test("A process that serves tells its state, its threads and its calls", () =>
  withServing(["endless.ts"], async (transport, broker) => {
    await using client = new ControlClient(transport);
    const status = async () => (await eventually(() => liveInstances(client)))[0]!;
    const { pid, services: [service] } = await status();
    assert.equal(pid, Deno.pid);
    const { manifest: _manifest, ...rest } = service!;
    assert.deepEqual(rest, {
      name: "enoki_test_endless",
      state: "running",
      isolation: "threads",
      threads: { busy: 0, ready: 1, starting: 0, max: 1 },
      inFlight: 0,
      waiting: 0,
      rates: { calls: 0, errors: 0 },
    });
    await using cluster = await connect({ broker });
    const stop = new AbortController();
    const calls = [1, 2].map(() =>
      cluster.method("enoki_test_endless", "endless").with({ signal: stop.signal })()
    );
    const ended = Promise.allSettled(calls);
    let busy = (await status()).services[0]!;
    while (busy.inFlight + busy.waiting < 1) busy = (await status()).services[0]!;
    assert.deepEqual(busy.threads, { busy: 1, ready: 1, starting: 0, max: 1 });
    stop.abort();
    await ended;
  }, { config: { max_workers: 1 } }));

Deno.test("A process that serves tells which process of its own a service has", () =>
  withServing(["greedy.ts"], async (transport, broker) => {
    await using client = new ControlClient(transport);
    await using cluster = await connect({ broker });
    const [status] = await eventually(() => liveInstances(client));
    const { isolation, ownPid } = status!.services[0]!;
    assert.deepEqual([isolation, ownPid], ["process", await cluster.method("greedy", "process")()]);
    assert.notEqual(ownPid, status!.pid);
  }, { config: { isolation: "process" } }));

for (const telemetry of [true, false]) {
  Deno.test(`A process tells ${telemetry ? "how many" : "nothing of"} calls end with telemetry: ${telemetry}`, () =>
    withServing(["two_services.ts"], async (transport, broker) => {
      await using cluster = await connect({ broker });
      assert.equal(await cluster.method("stock", "count")(), 7);
      await using client = new ControlClient(transport);
      const [status] = await eventually(() => liveInstances(client));
      const [orders, stock] = status!.services;
      if (!telemetry) return assert.deepEqual([orders!.rates, stock!.rates], [undefined, undefined]);
      assert.deepEqual(orders!.rates, { calls: 0, errors: 0 });
      const { calls, errors, p50, p99 } = stock!.rates!;
      assert.ok(calls > 0 && p50! > 0 && p50 === p99, JSON.stringify(stock));
      assert.equal(errors, 0);
    }, { config: { telemetry } }));
}

Deno.test("A process that serves tells no value of its configuration", () =>
  withServing(["two_services.ts"], async (transport) => {
    const texts = await eventually(async () => {
      const answers = await Promise.all(
        ["status", "manifests"].map((ask) => answersTo(transport, { ask })),
      );
      return answers.flat().map(({ answer }) => JSON.stringify(answer));
    });
    assert.ok(texts.every((text) => !text.includes("very-secret")), texts.join());
  }, { config: { STRIPE_KEY: "very-secret", orders: { greeting: "very-secret" } } }));

Deno.test("A version of a service is one, also where some of its processes offer documents", () =>
  withServing(["described_payments.ts"], async (transport, broker) => {
    await using _documented = await run([servicePath("described_payments.ts")], {
      broker,
      config: { HTTP_OPENAPI: true },
      threads: { permissions: "all" },
    });
    await using client = new ControlClient(transport);
    const instances = await eventually(async () => {
      const found = await liveInstances(client);
      return found.length === 2 ? found : [];
    });
    const [first, second] = instances.map(({ services: [service] }) => service!.manifest);
    assert.equal(first, second);
  }));

for (const control of [true, false]) {
  Deno.test(`ControlChannel.start() declares ${control ? "its queue" : "nothing"} with control: ${control}`, () =>
    withServing(["two_services.ts"], async (transport) => {
      const settings = await Settings.read({ control });
      const log = getLog();
      const channel = new ControlChannel({
        settings,
        transport,
        containers: new Map(),
        telemetry: undefined,
        log,
      });
      await channel.start();
      const message = { exchange: CONTROL_EXCHANGE, routingKey: "", body: "{}", properties: {} };
      if (control) await transport.publish({ ...message, mandatory: true });
      else await assert.rejects(transport.publish(message), /exchange "enoki.control"/);
      await channel[Symbol.asyncDispose]();
    }, { config: { control: false } }));
}

Deno.test("A process whose broker refuses the control channel serves, and warns once", () =>
  withServing(["two_services.ts"], async (_transport, broker) => {
    await using cluster = await connect({ broker });
    assert.equal(await cluster.method("stock", "count")(), 7);
    const warned = () => linesOfServing().filter((line) => line.includes("control channel"));
    while (warned().length === 0) assert.equal(await cluster.method("stock", "count")(), 7);
    assert.equal(warned().length, 1);
    assert.match(warned()[0]!, /Cannot answer on the control channel.*set control: false/);
  }, {
    before: (transport) => transport.declare({ exchanges: [{ name: CONTROL_EXCHANGE, type: "direct" }] }),
  }));

brokerTest("ControlHost and ControlClient go on after a lost connection", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  const restored = new Map<string, () => void>();
  const open = async (name: string) => {
    const transport = amqp(proxy.uri, {
      retryStep: 10,
      onStatus: ({ state }) => state === "connected" && restored.get(name)?.(),
    });
    await transport.connect();
    return transport;
  };
  await using serving = await open("serving");
  await using asking = await open("asking");
  await using client = new ControlClient(asking);
  const { instance } = await openHost(serving);
  const ask = () => Array.fromAsync(client.ask({ ask: "echo", instances: [instance] }, { timeout: 60_000 }));
  assert.equal((await ask()).length, 1);
  const again = ["serving", "asking"].map((name) =>
    new Promise<void>((resolve) => restored.set(name, resolve))
  );
  await proxy.sever();
  await Promise.all(again);
  assert.equal((await ask()).length, 1);
});

for (const kind of Object.keys(BROKERS)) {
  Deno.test({
    name:
      `ControlClient.ask() gets the answers of 50 instances, the versions of which are asked once (${kind})`,
    ignore: isMissing(kind),
    async fn() {
      await using broker = await BROKERS[kind]!();
      await using opened = new AsyncDisposableStack();
      const open = async () => opened.use(await broker.transport());
      const connections = await Promise.all(Array.from({ length: 5 }, open));
      const service = crypto.randomUUID();
      let asked = 0;
      const responders = new Map([
        ["status", {
          respond: () => ({ host: "h", pid: 1, services: [{ name: service, manifest: "same" }] }),
        }],
        ["manifests", {
          respond: () => ({ asked: ++asked, services: [{ name: service, entrypoints: [], queues: ["q"] }] }),
        }],
      ]);
      await Promise.all(
        Array.from(
          { length: 50 },
          (_, index) => openHost(connections[index % 5]!, { responders, services: () => [service] }),
        ),
      );
      await using client = new ControlClient(await open());
      let questions = 0;
      // On a machine that is slow, not all answers come before the question ends.
      const [version, ...others] = await eventually(async () => {
        questions++;
        const versions = await liveVersions(client, { services: [service] });
        return versions[0]?.instances.length === 50 ? versions : [];
      });
      assert.deepEqual(others, []);
      assert.deepEqual(version?.manifest.queues, ["q"]);
      assert.equal(new Set(version.instances.map(({ id }) => id)).size, 50);
      assert.ok(asked <= questions, `${asked} answers to ${questions} questions`);
    },
  });
}
