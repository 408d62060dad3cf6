import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { ModuleText } from "../../../../runtime/service/declared/module_text.ts";
import { findOptional } from "../../../../runtime/service/declared/optional_parameters.ts";
import { readOptionalParameters } from "../../../../runtime/service/declared/optional_reader.ts";

const ts = (text: string, url = "a.ts", language: ModuleText["language"] = "ts"): ModuleText => ({
  url,
  language,
  text,
});

/** Functions with an optional parameter as `name(shape) places`. */
async function optionalIn(...sources: readonly ModuleText[]): Promise<readonly string[]> {
  const { functions, unread } = await readOptionalParameters(sources);
  deepStrictEqual(unread, []);
  return functions.map(({ name, shape, optional }) => `${name} ${shape} ${optional}`).sort();
}

const DECLARED: readonly (readonly [what: string, text: string, ...expected: string[]])[] = [
  ["an arrow function of a property", "x = { f: (_c, a: string, b?: string) => a }", "f (_c,a,b) 2"],
  ["an async method in short", "x = { async f({ db }: X, a?: string) {} }", "f async ({db},a) 1"],
  [
    "a generator method",
    "x = { *f(_c, a?: string) {}, async *g(_c, a?: 1) {} }",
    "f *(_c,a) 1",
    "g async *(_c,a) 1",
  ],
  ["a declared function", "export async function f(_c: C, a?: string) {}", "f async (_c,a) 1"],
  ["a named function expression", "x = { g: function f(_c, a?: string) {} }", "f (_c,a) 1"],
  ["a function in a variable", "const f = (_c: C, a?: string) => a", "f (_c,a) 1"],
  ["a function as another type", "const f = ((_c: C, a?: string) => a) satisfies F as G", "f (_c,a) 1"],
  [
    "an assigned function",
    "f = (_c, a?: string) => a; x.g = (_c, b?: string) => b",
    " (_c,b) 1",
    "f (_c,a) 1",
  ],
  ["a function as a default", "const { f = (_c: C, a?: string) => a } = x", "f (_c,a) 1"],
  ["an anonymous default export", "export default (_c: C, a?: string) => a", "default (_c,a) 1"],
  ["a function that is wrapped", "x = { f: traced((_c, a?: string) => a) }", " (_c,a) 1"],
  ["a quoted name", 'x = { "f-1"(_c: C, a?: string) {} }', "f-1 (_c,a) 1"],
  ["a computed name", "x = { [NAME](_c: C, a?: string) {} }", "null (_c,a) 1"],
  [
    "the methods and fields of a class",
    "class A { f(_c: C, a?: 1) {} static g = (_c: C, a?: 1) => a; #h(_c: C, a?: 1) {} abstract i(_c: C, a?: 1): 1 }",
    "#h (_c,a) 1",
    "f (_c,a) 1",
    "g (_c,a) 1",
  ],
  ["a decorated class", "@x export class A { @y f(_c: C, a?: 1) {} accessor z = 1 }", "f (_c,a) 1"],
  ["a function with this", "function f(this: H, _c: C, a?: string) {}", "f (_c,a) 1"],
  [
    "defaults, rest and destructured parameters",
    "x = { f(_c, a?: 1, { b, ...c }: X = {}, [d, e]: Y = [], g = 1, ...h: Z[]) {} }",
    "f (_c,a,{b,...}=,[2]=,g=,...h) 1",
  ],
  [
    "the implementation of overloads",
    "function f(_c: C): 1; function f(_c: C, a?: 1) { return 1 }",
    "f (_c,a) 1",
  ],
  [
    "a function in a namespace",
    "namespace N { export const f = (_c: C, a?: 1) => 1 } enum E { a }",
    "f (_c,a) 1",
  ],
  ["nothing where undefined has to be given", "x = { f(_c, a: string | undefined) {} }"],
  [
    "nothing where only a type has it",
    "interface X { f(_c: C, a?: 1): void; g?: 1 } type Y = (_c: C, a?: 1) => 1",
  ],
  ["nothing where only the constructor has it", "class A { constructor(a: 1, readonly b?: 1) {} }"],
];

Deno.test("readOptionalParameters() reads", async (t) => {
  for (const [what, text, ...expected] of DECLARED) {
    await t.step(what, async () => deepStrictEqual(await optionalIn(ts(text)), expected));
  }
});

Deno.test("readOptionalParameters() reads JSX", async () => {
  const text = "const a = <b c={1}>it's ? : </b>; const f = (_c: C, a?: string) => <></>;";
  deepStrictEqual(await optionalIn(ts(text, "a.tsx", "tsx")), ["f (_c,a) 1"]);
});

Deno.test("readOptionalParameters() keeps functions that look like one with an optional parameter", async () => {
  deepStrictEqual(
    await optionalIn(
      ts("x = { f(_c, a?: string) {}, g(_c, b: string) {} }"),
      ts("export function f(_c, a: string) {}", "b.ts"),
      ts("export function f(_c, a) {}", "c.js", "js"),
    ),
    ["f (_c,a) ", "f (_c,a) ", "f (_c,a) 1"],
  );
});

Deno.test("readOptionalParameters() takes a ? in the signature of an entrypoint", async () => {
  const contract = ts(
    "export default contract('x', { f: rpc<(a: string, b?: string) => void>(), g: [rpc<(a?: 1) => 1>()] })",
  );
  const handlers = ts("x = { f(_c, first, second) {}, g: (_c, _socketId, a) => a }", "b.ts");
  deepStrictEqual(await optionalIn(contract, handlers), ["f (_c,first,second) 2", "g (_c,_socketId,a) 2"]);
});

Deno.test("readOptionalParameters() gives a signature to no handler with types of its own", async () => {
  const text = "e = { f: rpc<(a?: string) => void>() }; x = { f(_c: C, a: string) {} }";
  deepStrictEqual(await optionalIn(ts(text)), []);
});

Deno.test("readOptionalParameters() takes no ? in a signature with which another of the method disagrees", async () => {
  const contracts = ts("a = { f: rpc<(a?: string) => void>() }; b = { f: rpc<(a: string) => void>() }");
  deepStrictEqual(await optionalIn(contracts, ts("x = { f(_c, a) {} }", "b.ts")), []);
});

Deno.test("readOptionalParameters() parses nothing where no name that matters has a ?", async () => {
  const broken = ts("interface Order { note?: string } const f = (");
  deepStrictEqual(await readOptionalParameters([broken], { names: new Set(["order"]) }), {
    functions: [],
    unread: [],
  });
  strictEqual((await readOptionalParameters([broken], { names: new Set(["note"]) })).unread.length, 1);
});

Deno.test("readOptionalParameters() names a source that it cannot read, and reads the others", async () => {
  const deep = `const a = (b?: string) => ${"(".repeat(100_000)}`;
  const { functions, unread } = await readOptionalParameters([
    ts(deep, "deep.ts"),
    ts("const f = (b?: ", "broken.ts"),
    ts("x = { f(_c, a?: string) {} }"),
  ]);
  deepStrictEqual(functions, [{ name: "f", shape: "(_c,a)", optional: [1] }]);
  match(unread[0]!, /^deep\.ts: Maximum call stack size exceeded/);
  match(unread[1]!, /^broken\.ts: Unexpected token/);
  strictEqual(unread.length, 2);
});

Deno.test("findOptional() takes no function for another", () => {
  const functions = [
    { name: "f", shape: "(_c,a,b)", optional: [1, 2] },
    { name: "g", shape: "(_c,a,b)", optional: [2] },
    { name: null, shape: "(_c,x)", optional: [1] },
  ];
  const found = (name: string, shape: string) => [...findOptional(functions, name, shape).optional];
  deepStrictEqual(found("f", "(_c,a,b)"), [1, 2]);
  deepStrictEqual(found("g", "(_c,a,b)"), [2]);
  deepStrictEqual(found("f", "(_c,a)"), []);
  deepStrictEqual(found("h", "(_c,a,b)"), []);
  deepStrictEqual(found("any", "(_c,x)"), [1]);
});

Deno.test("findOptional() doubts a parameter that only some functions of one look let out", () => {
  const functions = [
    { name: "f", shape: "(_c,a,b)", optional: [1, 2] },
    { name: "f", shape: "(_c,a,b)", optional: [2] },
  ];
  deepStrictEqual(findOptional(functions, "f", "(_c,a,b)"), { optional: new Set([2]), doubtful: [1] });
});
