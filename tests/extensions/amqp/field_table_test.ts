import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeFields, encodeTable } from "../../../extensions/amqp/field_table.ts";
import type { FieldTable, FieldValue } from "../../../runtime/message/transport.ts";

/** The bytes of a value in a table, without the table's length and the key. */
function encoded(value: FieldValue): Buffer {
  const buffer = Buffer.alloc(1024);
  return buffer.subarray(6, encodeTable(buffer, { k: value }, 0));
}

/** Reads a value from its tag and bytes. */
function decoded(tag: string, hex: string): FieldValue | undefined {
  return decodeFields(Buffer.concat([Buffer.from(`\x01k${tag}`), Buffer.from(hex, "hex")]))["k"];
}

const tags: [value: FieldValue, tag: string, hex: string][] = [
  [5, "I", "00000005"],
  [1000, "I", "000003e8"],
  [-5, "I", "fffffffb"],
  [2147483647, "I", "7fffffff"],
  [-2147483648, "I", "80000000"],
  [2147483648, "L", "0000000080000000"],
  [-(2 ** 40), "L", "ffffff0000000000"],
  [0.5, "d", "3fe0000000000000"],
  [2 ** 63, "d", "43e0000000000000"],
  [NaN, "d", "7ff8000000000000"],
  [true, "t", "01"],
  [null, "V", ""],
  ["ü", "S", "00000002c3bc"],
  [[1, "a"], "A", "0000000b" + "4900000001" + "530000000161"],
  [{ a: 1 }, "F", "00000007" + "0161" + "4900000001"],
];
for (const [value, tag, hex] of tags) {
  Deno.test(`encodeTable() writes ${JSON.stringify(value)} (${value}) as ${tag}`, () => {
    const bytes = encoded(value);
    assert.equal(String.fromCharCode(bytes[0]!), tag);
    assert.equal(bytes.subarray(1).toString("hex"), hex);
  });
}

const readings: [tag: string, hex: string, value: FieldValue][] = [
  ["L", "0000010000000000", 2 ** 40],
  ["L", "ffffff0000000000", -(2 ** 40)],
  ["L", "7fffffffffffffff", "9223372036854775807"],
  ["l", "fffffffffffffffb", -5],
  ["b", "fb", -5],
  ["B", "fb", 251],
  ["s", "03e8", 1000],
  ["u", "ffff", 65535],
  ["i", "ffffffff", 4294967295],
  ["f", "3f000000", 0.5],
  ["D", "0200000271", 6.25],
  ["T", "000000006553f100", 1_700_000_000],
  ["x", "00000002c3bc", "ü"],
];
for (const [tag, hex, value] of readings) {
  Deno.test(`decodeFields() reads ${tag} ${hex} as ${JSON.stringify(value)}`, () => {
    assert.equal(decoded(tag, hex), value);
  });
}

Deno.test("decodeFields() returns what encodeTable() was given", () => {
  const table: FieldTable = { a: [1, [2.5, null]], b: { c: { d: "x" } }, "": false, empty: {}, none: [] };
  const buffer = Buffer.alloc(1024);
  const size = encodeTable(buffer, table, 10);
  assert.deepEqual(decodeFields(buffer.subarray(14, 10 + size)), table);
});

Deno.test("decodeFields() keeps a key called __proto__ from becoming the prototype", () => {
  const table = decodeFields(Buffer.from("\x09__proto__F\0\0\0\x04\x01at\x01"));
  assert.equal((table as { readonly a?: unknown }).a, undefined);
  assert.deepEqual(Object.keys(table), ["__proto__"]);
});

Deno.test("decodeFields() refuses a tag that it does not know", () => {
  assert.throws(() => decoded("?", ""), /type tag "\?" is not known/);
});

Deno.test("encodeTable() refuses a table that does not fit", () => {
  assert.throws(() => encodeTable(Buffer.alloc(64), { k: "x".repeat(64) }, 0), RangeError);
});

Deno.test("encodeTable() refuses a key of more than 255 bytes", () => {
  assert.throws(() => encodeTable(Buffer.alloc(1024), { ["ü".repeat(128)]: 1 }, 0), RangeError);
});

Deno.test("encodeTable() leaves undefined out", () => {
  const table = { a: undefined } as unknown as FieldTable;
  assert.equal(encodeTable(Buffer.alloc(16), table, 0), 4);
});
