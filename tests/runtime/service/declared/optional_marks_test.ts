import { deepStrictEqual, ok } from "node:assert/strict";
import { markedNames, mayHaveSignature } from "../../../../runtime/service/declared/optional_marks.ts";

const MARKED: readonly (readonly [text: string, ...names: string[]])[] = [
  ["(_c, a: string, b?: string) => a", "b"],
  ["(a?, b ?: string, größe?: number, $c_1?\n  : string)", "a", "b", "größe", "$c_1"],
  ["(a: string, // the first\n  b?: string)", "b"],
  ["(b? /* the second */: string)", "b"],
  ["interface Order { note?: string; cancel?(): void }", "note"],
  ["x?? y, x?.y, x ? y : z, x?.[0], x ? (y) : z"],
  ["/(?:a)|(?=b)/"],
  ["?"],
  [""],
];

Deno.test("markedNames() finds the names before a ? that no expression has", () => {
  for (const [text, ...names] of MARKED) deepStrictEqual([...markedNames(text)], names, text);
});

Deno.test("mayHaveSignature() sees a call with the type of a function", () => {
  for (
    const text of ["rpc<(a: string) => void>()", "rpc <\n (a: 1) => 2>()", "websocket<<T>(a: T) => T>()"]
  ) {
    ok(mayHaveSignature(text), text);
  }
  for (const text of ["rpc()", "new Map<string, number>()", "a < b"]) ok(!mayHaveSignature(text), text);
});
