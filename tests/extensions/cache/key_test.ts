import { notStrictEqual, strictEqual, throws } from "node:assert/strict";
import { type CacheKey, keyText } from "../../../extensions/cache/key.ts";

Deno.test("keys of the same data are the same, in whatever order an object was written", () => {
  strictEqual(keyText(["a", { x: 1, y: { b: 2, a: 1 } }]), keyText(["a", { y: { a: 1, b: 2 }, x: 1 }]));
});

const DIFFERENT: readonly CacheKey[] = [
  "a",
  '"a',
  '"a"',
  ["a"],
  '["a"]',
  { a: 1 },
  { a: "1" },
  '{"a":1}',
  1,
  "1",
  null,
  "null",
  true,
  [],
  [[]],
  "",
];

Deno.test("keys of different data differ", () => {
  for (const one of DIFFERENT) {
    for (const other of DIFFERENT) if (one !== other) notStrictEqual(keyText(one), keyText(other));
  }
});

Deno.test("a key that JSON does not have, and one that is too long, are refused", () => {
  for (const key of [undefined, NaN, () => 1, [new Map()]]) throws(() => keyText(key), /^TypeError/);
  throws(() => keyText("x".repeat(4_096)), /^RangeError: Cannot use a key of 4097 characters/);
});
