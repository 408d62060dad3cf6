import { deepStrictEqual, ok } from "node:assert/strict";
import { ratioInterval } from "./ratio_interval.ts";

/** Pairs whose ratios have these logarithms. */
function pairsOf(logs: readonly number[]): readonly (readonly [number, number])[] {
  return logs.map((log, at) => [1_000 * (at + 1), 1_000 * (at + 1) * Math.exp(log)]);
}

Deno.test("the interval is that of a table of Student's distribution, whatever the rates are", () => {
  // The mean is 0 and the deviation 0.1, so the reach is the table's number times 0.1 / sqrt(n).
  for (const [count, point] of [[6, 2.571], [10, 2.262], [30, 2.045]] as const) {
    const step = 0.1 * Math.sqrt((count - 1) / count);
    const logs = Array.from({ length: count }, (_, at) => at % 2 === 0 ? step : -step);
    const { low, ratio, high } = ratioInterval(pairsOf(logs));
    const reach = point * 0.1 / Math.sqrt(count);
    ok(Math.abs(ratio - 1) < 1e-9);
    ok(Math.abs(Math.log(high) - reach) < 1e-3, `${Math.log(high)} is not ${reach}`);
    ok(Math.abs(Math.log(low) + reach) < 1e-3);
  }
});

Deno.test("pairs that agree have an interval without width", () => {
  const { low, ratio, high } = ratioInterval(pairsOf([Math.log(0.9), Math.log(0.9), Math.log(0.9)]));
  deepStrictEqual([low, ratio, high].map((value) => value.toFixed(6)), ["0.900000", "0.900000", "0.900000"]);
});

Deno.test("what makes both of a pair slow does not widen the interval", () => {
  const { low, high } = ratioInterval([[1_000, 900], [10, 9], [500, 450], [2, 1.8]]);
  ok(high - low < 1e-9);
});
