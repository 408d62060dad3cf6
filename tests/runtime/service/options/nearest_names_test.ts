import { deepStrictEqual, equal } from "node:assert/strict";
import { didYouMean, nearestNames } from "../../../../runtime/service/options/nearest_names.ts";

const CASES: readonly (readonly [name: string, known: readonly string[], nearest: readonly string[]])[] = [
  ["helo", ["hello", "goodbye"], ["hello"]],
  ["plcae", ["place", "trace"], ["place"]],
  ["Place", ["place"], ["place"]],
  ["lits", ["list", "lit"], ["list", "lit"]],
  ["get", ["got", "set", "put", "pet", "let"], ["got", "set", "pet"]],
  ["a", ["b"], []],
  ["mail", ["orders"], []],
  ["x".repeat(1_000), ["x".repeat(1_001)], []],
];

for (const [name, known, nearest] of CASES) {
  Deno.test(`nearestNames() of "${name.slice(0, 10)}" among ${known.length} names`, () =>
    deepStrictEqual(nearestNames(name, known), nearest));
}

Deno.test("didYouMean() says nothing where there is no name", () => {
  equal(didYouMean([]), "");
  equal(didYouMean(["a", "b"]), ". Did you mean a or b?");
});
