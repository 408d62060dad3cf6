import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { bodyText, decodeJson, decodeJsonRoughly, encodeJson } from "../../../runtime/message/codec.ts";

const PYTHON: readonly (readonly [text: string, value: unknown])[] = [
  ['{"a": [1, 2.5, true, null, "x"]}', { a: [1, 2.5, true, null, "x"] }],
  ["[NaN, Infinity, -Infinity]", [NaN, Infinity, -Infinity]],
  ["NaN", NaN],
  ['["NaN", "Infinity", "say \\"NaN\\""]', ["NaN", "Infinity", 'say "NaN"']],
  ['["NaN", NaN]', ["NaN", NaN]],
  ['["-Infinity, \\"NaN\\"", -Infinity]', ['-Infinity, "NaN"', -Infinity]],
  ['["\\u0000NaN", "\\u0000Infinity", NaN]', ["\0NaN", "\0Infinity", NaN]],
  ['["toString", "constructor", "__proto__", NaN]', ["toString", "constructor", "__proto__", NaN]],
  ["[-0.0, 1e+22, NaN]", [-0, 1e22, NaN]],
  ['{"NaN": NaN}', { NaN }],
  ['["a\\\\", NaN, "NaN"]', ["a\\", NaN, "NaN"]],
  ['\ufeff{"a": 1}', { a: 1 }],
  ["\ufeffNaN", NaN],
];

const TAGGED: readonly (readonly [text: string, value: unknown])[] = [
  ['{"__type__": "datetime", "__value__": "2020-01-02T03:04:05"}', "2020-01-02T03:04:05"],
  ['{"__type__": "date", "__value__": "2020-01-02"}', "2020-01-02"],
  ['{"__type__": "time", "__value__": "03:04:05"}', "03:04:05"],
  ['{"__type__": "decimal", "__value__": "1.10"}', "1.10"],
  ['{"__type__": "bytes", "__value__": "abc"}', "abc"],
  [
    '{"__type__": "uuid", "__value__": {"hex": "0123456789abcdef0123456789abcdef", "version": 4}}',
    "01234567-89ab-cdef-0123-456789abcdef",
  ],
  ['{"__type__": "base64", "__value__": "AP8="}', new Uint8Array([0, 255])],
  ['{"a": [{"__type__": "decimal", "__value__": "1.10"}, NaN]}', { a: ["1.10", NaN] }],
  ['{"__type__": "unheard", "__value__": 1}', { __type__: "unheard", __value__: 1 }],
  ['{"__type__": "date", "__value__": 1, "more": 2}', { __type__: "date", __value__: 1, more: 2 }],
  ['{"__type__": "date"}', { __type__: "date" }],
  ['{"__type__": "uuid", "__value__": null}', { __type__: "uuid", __value__: null }],
  ['{"__type__": "uuid", "__value__": {"hex": 1}}', { __type__: "uuid", __value__: { hex: 1 } }],
];

const NOT_JSON = [
  "",
  "nul",
  "[1,]",
  "{'a': 1}",
  "[1NaN]",
  "[1Infinity]",
  "[Infinity5]",
  "[-NaN]",
  "{NaN: 1}",
  "NaN NaN",
  "[NaN, 1Infinity]",
  "[NaN, Infinity5]",
  '[NaN, "',
  '[NaN, "\\',
  '[NaN, "\\\n"]',
  "\ufeff\ufeff1",
];

Deno.test("decodeJson() reads what Python's JSON writes", () => {
  for (const [text, value] of PYTHON) deepStrictEqual(decodeJson(text), value, text);
});

Deno.test("decodeJson() unwraps the tagged values of kombu 5.3", () => {
  for (const [text, value] of TAGGED) deepStrictEqual(decodeJson(text), value, text);
});

Deno.test("decodeJson() refuses what is no JSON, of Python's neither", () => {
  for (const text of NOT_JSON) throws(() => decodeJson(text), SyntaxError, text);
});

Deno.test("encodeJson() writes plain JSON, and null for undefined", () => {
  strictEqual(
    encodeJson({ a: [1, undefined, "ü"], at: new Date(0) }),
    '{"a":[1,null,"ü"],"at":"1970-01-01T00:00:00.000Z"}',
  );
  strictEqual(encodeJson(undefined), "null");
});

Deno.test("encodeJson() refuses what JSON cannot carry", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  for (const value of [() => {}, Symbol("s"), 1n, { deep: [1n] }, new Map(), new Set(), cycle]) {
    throws(() => encodeJson(value), TypeError);
  }
});

Deno.test("decodeJsonRoughly() reads all that decodeJson() reads, with null for what JSON has no number for", () => {
  deepStrictEqual(decodeJsonRoughly('\ufeff{"a": [NaN, -Infinity, -1, "NaN -Infinity", Infinity]}'), {
    a: [null, null, -1, "NaN -Infinity", null],
  });
  deepStrictEqual(decodeJsonRoughly('{"__type__": "uuid", "__value__": NaN}'), {
    __type__: "uuid",
    __value__: null,
  });
  throws(() => decodeJsonRoughly("[NaN"), SyntaxError);
  throws(() => decodeJsonRoughly("[nil]"), SyntaxError);
});

Deno.test("encodeJson() names what it refuses", () => {
  throws(() => encodeJson(new Map()), {
    message: "Cannot write a Map as JSON: convert it to an array or object",
  });
  throws(() => encodeJson(() => {}), { message: "Cannot write a function as JSON: JSON has no such value" });
});

Deno.test("encodeJson() writes lone surrogates so that UTF-8 can carry them", () => {
  const text = encodeJson("\ud800");
  ok(text.isWellFormed());
  strictEqual(decodeJson(text), "\ud800");
});

Deno.test("bodyText() takes text as it is and bytes as UTF-8", () => {
  strictEqual(bodyText("é"), "é");
  strictEqual(bodyText(new TextEncoder().encode("é")), "é");
  throws(() => bodyText(new Uint8Array([0xff])), TypeError);
});
