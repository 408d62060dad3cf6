import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { RecentCalls } from "../../../runtime/telemetry/recent_calls.ts";
import { childOf, traceIdOf } from "../../../runtime/telemetry/trace.ts";

const PLACE = { service: "orders", method: "place", kind: "rpc" };
const CHARGE = { service: "payments", method: "charge", kind: "rpc" };

Deno.test("RecentCalls gives the calls of a trace in the order in which they ended", () => {
  const recent = new RecentCalls(10);
  const place = childOf(undefined);
  const charge = childOf(place);
  recent.keep(CHARGE, charge, place, performance.now(), 3, 1, "payments#1", "failed", "CardRefused");
  recent.keep(PLACE, childOf(undefined), undefined, performance.now(), 1, 0, "orders#1", "ok", undefined);
  recent.keep(PLACE, place, undefined, performance.now(), 5, 0, "orders#2", "expected", "Refused");
  const found = recent.ofTrace(traceIdOf(place));
  deepStrictEqual(found.map(({ at: _, ...call }) => call), [
    {
      ...CHARGE,
      traceparent: charge,
      parent: place,
      took: 3,
      waited: 1,
      thread: "payments#1",
      outcome: "failed",
      error: "CardRefused",
    },
    {
      ...PLACE,
      traceparent: place,
      parent: undefined,
      took: 5,
      waited: 0,
      thread: "orders#2",
      outcome: "expected",
      error: "Refused",
    },
  ]);
  strictEqual(recent.ofTrace(traceIdOf(place).slice(0, 12)).length, 2);
});

Deno.test("RecentCalls forgets the oldest call for the newest", () => {
  const recent = new RecentCalls(3);
  const trace = childOf(undefined);
  for (const took of [1, 2, 3, 4, 5]) {
    recent.keep(PLACE, trace, undefined, performance.now(), took, 0, "a", "ok", undefined);
  }
  deepStrictEqual(recent.ofTrace(traceIdOf(trace)).map(({ took }) => took), [3, 4, 5]);
});

Deno.test("RecentCalls tells the rates and the percentiles of one service", () => {
  const recent = new RecentCalls(1_000);
  for (let took = 1; took <= 100; took++) {
    recent.keep(
      PLACE,
      undefined,
      undefined,
      performance.now(),
      took,
      0,
      "a",
      took > 90 ? "failed" : "ok",
      undefined,
    );
    recent.keep(CHARGE, undefined, undefined, performance.now(), 1_000, 0, "a", "failed", undefined);
  }
  const { calls, errors, p50, p99 } = recent.rates("orders");
  deepStrictEqual({ p50, p99, share: Math.round((errors / calls) * 100) }, { p50: 50, p99: 99, share: 10 });
  deepStrictEqual(recent.rates("nobody"), { calls: 0, errors: 0, p50: undefined, p99: undefined });
});
