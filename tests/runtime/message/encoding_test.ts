import assert from "node:assert/strict";
import { encodeJson } from "../../../runtime/message/codec.ts";

const SILENT: readonly unknown[] = [
  new Error("e"),
  new TypeError("t"),
  Promise.resolve(1),
  new ArrayBuffer(2),
  new Uint8Array([1, 2]),
  new Uint8Array(),
  new Blob(["x"]),
  /x/g,
  new Response("no"),
  new Headers(),
  (function* () {})(),
  (async function* () {})(),
  [1].values(),
  new WeakMap(),
  new Map([["a", 1]]),
  new Set([1]),
  () => 1,
  Symbol("s"),
  NaN,
  Infinity,
  -Infinity,
];

for (const value of SILENT) {
  Deno.test(`encodeJson() refuses ${Object.prototype.toString.call(value)} wherever it stands, and says where`, () => {
    assert.throws(() => encodeJson(value), { name: "TypeError", message: /^Cannot write / });
    assert.throws(() => encodeJson([1, { a: { b: [value] } }]), {
      message: / at "\[1\]\.a\.b\[0\]" as JSON: /,
    });
    assert.throws(() => encodeJson({ a: 1, b: value }), { message: / at "b" as JSON: / });
    assert.throws(() => encodeJson([{ a: 1, b: value }]), { message: / at "\[0\]\.b" as JSON: / });
    assert.throws(() => encodeJson({ a: 1, b: { c: [{ d: 2 }, { d: 3, e: value }], f: "x" } }), {
      message: / at "b\.c\[1\]\.e" as JSON: /,
    });
    assert.throws(() => encodeJson([...Array(20).keys(), { a: { b: 1, c: value } }]), {
      message: / at "\[20\]\.a\.c" as JSON: /,
    });
    assert.throws(() => encodeJson([value]), { message: / at "\[0\]" as JSON: / });
  });
}

Deno.test("encodeJson() refuses an error that has fields of its own", () => {
  assert.throws(() => encodeJson(Object.assign(new Error("e"), { code: "GONE" })), TypeError);
  assert.throws(() => encodeJson({ error: Object.assign(new Error("e"), { code: "GONE" }) }), TypeError);
  const deep = { list: [{ id: 1, error: Object.assign(new Error("e"), { code: "GONE" }) }] };
  assert.throws(() => encodeJson(deep), { message: / at "list\[0\]\.error" as JSON: / });
});

Deno.test("encodeJson() writes everything that JSON has, as JSON.stringify() does", () => {
  class Point {
    x = 1;
    y = null;
  }
  class Money {
    toJSON() {
      return { amount: "1.00" };
    }
  }
  const values = [
    null,
    {},
    [],
    [null, {}],
    [[], [[]]],
    { a: undefined, b: [undefined], c: {} },
    new Date(NaN),
    new Date(0),
    new URL("http://x/"),
    new String("x"),
    Object.assign(Object.create(null), { a: {} }),
    new Point(),
    new (class {})(),
    [new Money(), { inner: new Money(), none: null }],
    Object.assign(() => 1, { toJSON: () => null }),
    Object.assign(new Error("e"), { toJSON: () => "e" }),
    { "0": 1, "1": 2 },
    { a: { b: 1, c: undefined, d: [{ e: undefined }] } },
    { a: Object.create({ inherited: () => 1 }, { own: { value: 1, enumerable: true } }) },
    { a: Object.defineProperty({ b: () => 1 }, "toJSON", { value: () => 1 }), c: 2 },
    { a: { constructor: 1, b: { constructor: "x" } } },
    { a: { [Symbol("hidden")]: 1, b: 2 } },
    -0,
    [0.1, 1e300],
  ];
  for (const value of values) assert.equal(encodeJson(value), JSON.stringify(value));
});

Deno.test("encodeJson() writes what is nested as deep as JSON.stringify() can", () => {
  let [deep, most] = [{} as object, 0];
  const wrap = () => (deep = most++ % 2 === 0 ? [deep] : { deep });
  while (most < 1_000) wrap();
  assert.equal(encodeJson(deep), JSON.stringify(deep));
  while (most < 200_000) wrap();
  assert.throws(() => encodeJson(deep), RangeError);
});
