import assert from "node:assert/strict";
import { Evaluator } from "../../extensions/cli/shell/evaluator.ts";

const FOLDER = new URL("./", import.meta.url);

/** Runs inputs one after the other, in one shell, and gives the value of the last one. */
async function values(...texts: readonly string[]): Promise<unknown> {
  const evaluator = await Evaluator.load();
  let value: unknown;
  for (const text of texts) value = await evaluator.run(evaluator.read(text)!);
  return value;
}

/** Inputs of one shell, and the value of the last one. */
const VALUES: readonly (readonly [law: string, texts: readonly string[], value: unknown])[] = [
  ["is the last expression", ["1;\n2\n;"], 2],
  ["is undefined after another statement", ["1; if (true) 2;"], undefined],
  ["is an object, and no block", ["{ a: 1, b: [2] }"], { a: 1, b: [2] }],
  ["is undefined after a block", ["{ let a = 1; a; }"], undefined],
  ["is that of a promise", ["Promise.resolve(Promise.resolve(1))"], 1],
  ["is that of several expressions", ["(1, 2) // the second one"], 2],
  ["is a text that could be a directive", ['"use strict"'], "use strict"],
  ["is that of the input before, as _", ["40", "_ + 2"], 42],
  ["may be a this", ["this === globalThis"], true],
];

/** Declarations that a later input sees. */
const DECLARED: readonly (readonly [law: string, texts: readonly string[], value: unknown])[] = [
  ["a const with await", ["const a = await Promise.resolve(1)", "a"], 1],
  ["several names", ["let a = 1, b, c = a + 1", "[a, b, c]"], [1, undefined, 2]],
  ["names in patterns", [
    "const { a, b: [c, , ...d], e = 5, ...f } = { a: 1, b: [2, 3, 4], g: 6 }",
    "[a, c, d, e, f]",
  ], [1, 2, [4], 5, { g: 6 }]],
  ["a name that is declared again", ["const a = 1", "const a = 2", "let a = a + 1", "a"], 3],
  ["a var that is declared again without a value", ["var a = 1", "var a", "a"], 1],
  ["a let that is declared again without a value", ["let a = 1", "let a", "a"], undefined],
  ["a function, before its text too", ["const a = f(); function f() { return 1; }", "[a, f()]"], [1, 1]],
  ["a generator and an async function", [
    "function* g() { yield 1; }\nasync function h() { return 2; }",
    "[...g(), await h()]",
  ], [1, 2]],
  ["a class", ["class A { static b = 1 }\nnew A", "A.b"], 1],
  ["an assignment without a declaration", ["enokiTestName = 3", "enokiTestName"], 3],
  ["what a function sees later", ["let a = 1; const f = () => a", "a = 2", "f()"], 2],
  ["the name of a function", ["const f = () => {}", "f.name"], "f"],
  ["what begins behind a line without a semicolon", ["const a = 1\nconst [b] = [2]\nlet c = a\n;[c, b]"], [
    1,
    2,
  ]],
  ["what shadows a global, in the shell alone", ["const Map = 1", "[Map, typeof globalThis.Map]"], [
    1,
    "function",
  ]],
  ["nothing of a using declaration, which ends with its input", [
    "let a = 0; using b = { [Symbol.dispose]() { a = 1; } };",
    "[a, typeof b]",
  ], [1, "undefined"]],
];

/** Imports, relative to the current folder. */
const IMPORTED: readonly (readonly [law: string, texts: readonly string[], value: unknown])[] = [
  ["default, namespace and names", [
    'import os, { EOL as end, "type" as type } from "node:os";\nimport * as all from "node:os";',
    "[os === all.default, end === all.EOL, type === all.type]",
  ], [true, true, true]],
  ["nothing", ['import "node:os"', "1"], 1],
  ["a file, by its path", [
    `import { GREETING } from "${FOLDER.pathname}command.ts"; GREETING.endsWith("service.ts")`,
  ], true],
  ["a file, with import()", [`(await import("${FOLDER.pathname}command.ts")).SERVICES.length > 0`], true],
  ["JSON, with attributes", [
    `import json from "${FOLDER.pathname}../../deno.json" with { type: "json" };\njson.name`,
  ], "@enoki/enoki"],
];

for (
  const [subject, table] of [["The value of an input", VALUES], ["An input keeps", DECLARED], [
    "An input imports",
    IMPORTED,
  ]] as const
) {
  for (const [law, texts, value] of table) {
    Deno.test(`${subject} ${law}`, async () => assert.deepEqual(await values(...texts), value));
  }
}

Deno.test("An input may have types", async () => {
  assert.equal(
    await values("const f = <T>(a: T): T => a; type A = 1;\ninterface B {}\nf<number>(1 as any)!"),
    1,
  );
});

Deno.test("An input names its own lines in stacks", async () => {
  const stack = await values("import 'node:os'\nconst a = 1\nclass A {}\nnew Error().stack");
  assert.match(String(stack), /enoki-shell-input, <anonymous>:4:/);
});

for (const text of ["f(", "{", "[1,", "`a", "/* a", "a =>", "function f() {\n", "'a\\\n", "({ a:"]) {
  Deno.test(`InputReader.read() wants more behind ${JSON.stringify(text)}`, async () => {
    const evaluator = await Evaluator.load();
    assert.equal(evaluator.read(text), undefined);
  });
}

for (const text of ["f)", "a b", "'a", "const a;", "let a; let a", "export const a = 1", "await = 1"]) {
  Deno.test(`InputReader.read() refuses ${JSON.stringify(text)}`, async () => {
    const evaluator = await Evaluator.load();
    assert.throws(() => evaluator.read(text), SyntaxError);
  });
}

Deno.test("Evaluator.cancel() ends the wait, and the signal of what the input has begun", async () => {
  const evaluator = await Evaluator.load();
  const waiting = evaluator.run(evaluator.read("new Promise(() => {})")!);
  const { signal } = evaluator;
  evaluator.cancel();
  await assert.rejects(waiting, { name: "CancelledInputError" });
  assert.equal(signal.aborted, true);
  assert.equal(await evaluator.run(evaluator.read("1")!), 1);
});
