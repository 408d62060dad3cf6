import { deepStrictEqual } from "node:assert/strict";
import type { Measurement } from "./load.ts";
import { type Side, Turns } from "./turns.ts";

/** A side that measures these rates, one after the other. */
function side(order: string[], name: string, rates: readonly number[]): readonly [string, Side] {
  const left = [...rates];
  return [name, (): Promise<Measurement> => {
    order.push(name);
    return Promise.resolve({ rate: left.shift()!, p50: 1, p99: 2 });
  }];
}

async function measured(): Promise<{ readonly turns: Turns; readonly order: readonly string[] }> {
  const order: string[] = [];
  const sides = [
    side(order, "enoki", [10, 100, 50]),
    side(order, "bare", [20, 100, 200]),
    side(order, "other", [1, 2, 3]),
  ];
  return { turns: await Turns.measure(new Map(sides), 3, 1), order };
}

Deno.test("sides take turns, in the other order each time", async () => {
  const { order } = await measured();
  const [first, second, third] = [order.slice(0, 3), order.slice(3, 6), order.slice(6)];
  deepStrictEqual(first, second.toReversed());
  deepStrictEqual(third, first);
});

Deno.test("a ratio is the median of those of the rounds, and not that of the medians", async () => {
  const { turns } = await measured();
  const sides = { enoki: "enoki", bare: "bare", peers: ["other"] };
  deepStrictEqual(turns.figures("echo", "calls/s", sides), [
    { name: "echo", unit: "calls/s", enoki: 50, bare: 100, ratio: 0.5, peers: { other: 2 } },
    { name: "echo, p99", unit: "ms", enoki: 2, bare: 2, ratio: 1, peers: { other: 2 } },
  ]);
  deepStrictEqual(turns.ratio("enoki", "other", "rate"), 50 / 3);
});
