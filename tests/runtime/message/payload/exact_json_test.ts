import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  decodeExactJson,
  encodeBigintJson,
  hasLongInteger,
} from "../../../../runtime/message/payload/exact_json.ts";
import { encodeJson } from "../../../../runtime/message/codec.ts";

const UNSAFE = ["9007199254740993", "-9007199254740993", "12345678901234567890", "1".repeat(400)];

Deno.test("decodeExactJson() reads integers beyond 2⁵³ as bigints, wherever they stand", () => {
  for (const digits of UNSAFE) {
    for (let shift = 0; shift < 40; shift++) {
      const space = " ".repeat(shift);
      deepStrictEqual(decodeExactJson(`${space}${digits}`, true), BigInt(digits));
      deepStrictEqual(decodeExactJson(`{"a":[1,${space}${digits},2.5]}`, true), {
        a: [1, BigInt(digits), 2.5],
      });
      deepStrictEqual(decodeExactJson(`["${"1".repeat(shift)}",${digits}]`, true), [
        "1".repeat(shift),
        BigInt(digits),
      ]);
    }
  }
});

Deno.test("decodeExactJson() refuses them without bigints, and says what to do", () => {
  for (const digits of UNSAFE) {
    throws(() => decodeExactJson(`[${digits}]`, false), { name: "RangeError", message: /Set bigints: true/ });
  }
});

Deno.test("decodeExactJson() leaves all other numbers and texts as they are", () => {
  const kept = [
    "9007199254740991",
    "1764364834123456",
    "0.1234567890123456789",
    "12345678901234567890.5",
    "12345678901234567890e0",
    '"12345678901234567890"',
    '"a, 12345678901234567890, b"',
    '{"12345678901234567890":1}',
    // The numbers of JavaScript, as JavaScript writes them.
    JSON.stringify(2 ** 60),
    JSON.stringify(Number.MAX_VALUE),
    JSON.stringify(1e20),
  ];
  for (const text of kept) deepStrictEqual(decodeExactJson(`[${text}]`, false), JSON.parse(`[${text}]`));
});

Deno.test("decodeExactJson() reads NaN and tagged values beside large integers", () => {
  const text = '[NaN, 12345678901234567890, -Infinity, {"__type__": "decimal", "__value__": "1.5"}]';
  deepStrictEqual(decodeExactJson(text, true), [NaN, 12345678901234567890n, -Infinity, "1.5"]);
});

Deno.test("decodeExactJson() refuses an integer of more digits than Python reads", () => {
  strictEqual(decodeExactJson("1".repeat(4_300), true), BigInt("1".repeat(4_300)));
  throws(() => decodeExactJson("1".repeat(4_301), true), /more than 4300 digits/);
});

Deno.test("encodeBigintJson() writes bigints as integers, and encodeJson() refuses them", () => {
  const value = { a: [2n ** 64n, 1, "1"], b: { c: -1n } };
  strictEqual(encodeBigintJson(value), '{"a":[18446744073709551616,1,"1"],"b":{"c":-1}}');
  strictEqual(encodeBigintJson(5n), "5");
  throws(() => encodeJson(value), {
    name: "TypeError",
    message: /the bigint 18446744073709551616 at "0" as JSON/,
  });
  throws(() => encodeBigintJson([1n, NaN]), { name: "TypeError", message: /NaN at "\[1\]"/ });
});

Deno.test("hasLongInteger() takes little time for a long run of digits", () => {
  const start = performance.now();
  ok(!hasLongInteger(`"${"1".repeat(1_000_000)}"`));
  ok(performance.now() - start < 1_000);
});
