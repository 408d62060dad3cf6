import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ControlClient } from "../../../extensions/control/control_client.ts";
import type { ControlResponder } from "../../../extensions/control/host.ts";
import { tellTrace, type TraceCalls, traceCalls } from "../../../extensions/control/traced_calls.ts";
import { connect, type Transport } from "../../../extensions/run.ts";
import { RecentCalls } from "../../../runtime/telemetry/recent_calls.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { openHost, withServing } from "./stage.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;

/** Asks until `fits` is content: calls end after their answers, and a process answers after it serves. */
async function found(
  transport: Transport,
  trace: string,
  fits: (found: TraceCalls) => boolean,
): Promise<TraceCalls> {
  await using client = new ControlClient(transport);
  while (true) {
    const calls = await traceCalls(client, trace);
    if (fits(calls)) return calls;
    await nextTurn();
  }
}

Deno.test("traceCalls() finds a request, its RPC call and all attempts of its event, each with its parent", () =>
  withServing(["traced.ts"], async (transport, _broker, { http }) => {
    const response = await fetch(`${http}/orders`, { method: "POST", headers: { traceparent: TRACEPARENT } });
    assert.equal((await response.json()).trace, TRACE);
    const { calls, left, silent } = await found(
      transport,
      TRACE.slice(0, 6),
      ({ calls }) => calls.length === 4,
    );
    const [place, charge, ...greetings] = calls;
    assert.deepEqual([left, silent], [0, 0]);
    assert.deepEqual([place!.trace, place!.kind, place!.method], [TRACE, "http", "place"]);
    assert.deepEqual([charge!.kind, charge!.method, charge!.parent], ["rpc", "charge", place!.span]);
    assert.deepEqual([place!.outcome, place!.thread, place!.pid], ["ok", "enoki_test_shop#1", Deno.pid]);
    for (const { kind, method, parent, outcome, error } of greetings) {
      assert.deepEqual([kind, method, parent], ["event", "greet", place!.span]);
      assert.deepEqual([outcome, error], ["failed", "Error"]);
    }
  }, { config: { WEB_SERVER_ADDRESS: "127.0.0.1:0" } }));

Deno.test("traceCalls() counts the processes that remember no calls", () =>
  withServing(["two_services.ts"], async (transport, broker) => {
    await using cluster = await connect({ broker });
    const headers = { traceparent: TRACEPARENT };
    assert.equal(await cluster.method("stock", "count").with({ headers })(), 7);
    const { calls, silent } = await found(transport, TRACE, ({ instances }) => instances === 1);
    assert.deepEqual([calls, silent], [[], 1]);
  }, { config: { telemetry: false } }));

for (const kind of Object.keys(BROKERS)) {
  Deno.test({
    name: `traceCalls() finds the latest calls of all instances, and counts those left out (${kind})`,
    ignore: isMissing(kind),
    async fn() {
      await using broker = await BROKERS[kind]!();
      await using opened = new AsyncDisposableStack();
      const open = async () => opened.use(await broker.transport());
      const service = crypto.randomUUID();
      const entry = { service, method: "m", kind: "rpc" };
      for (const size of [1, 2_500]) {
        const recent = new RecentCalls(10_000);
        for (let call = 0; call < size; call++) {
          const span = call.toString(16).padStart(16, "f");
          recent.keep(
            entry,
            `00-${TRACE}-${span}-01`,
            undefined,
            performance.now(),
            1,
            0,
            undefined,
            "ok",
            undefined,
          );
        }
        const responders = new Map<string, ControlResponder>([["trace", {
          respond: ({ trace }) => tellTrace(recent, trace),
        }]]);
        await openHost(await open(), { responders, services: () => [service] });
      }
      await using client = new ControlClient(await open());
      let all: TraceCalls;
      do all = await traceCalls(client, TRACE, { services: [service] }); while (all.instances < 2);
      assert.deepEqual([all.calls.length, all.left], [2_001, 500]);
      assert.ok(all.calls.some(({ span }) => span === (2_499).toString(16).padStart(16, "f")));
    },
  });
}

Deno.test("traceCalls() gives nothing for what is no id of a trace, and leaves out what is no call", async () => {
  await using broker = await BROKERS["memory"]!();
  await using transport = await broker.transport();
  const good = { trace: TRACE, span: "b7ad6b7169203331", outcome: "ok", at: -1, took: "7", service: 7 };
  const calls = [
    null,
    7,
    {},
    { ...good, trace: "x" },
    { ...good, span: "../.." },
    { ...good, outcome: "x" },
    good,
  ];
  await openHost(transport, { responders: new Map([["trace", { respond: () => ({ calls, left: -5 }) }]]) });
  await openHost(transport, { responders: new Map([["trace", { respond: () => ({ calls: "all" }) }]]) });
  await openHost(transport, {
    responders: new Map([["trace", { respond: () => tellTrace(new RecentCalls(1), "*") }]]),
  });
  await using client = new ControlClient(transport);
  let found: TraceCalls;
  do found = await traceCalls(client, TRACE); while (found.instances < 3);
  const { calls: [call, ...others], left } = found;
  assert.deepEqual([others, left], [[], 0]);
  assert.deepEqual([call!.at, call!.took, call!.service], [0, 0, ""]);
});
