import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeFields, encodeTable } from "../../../extensions/amqp/field_table.ts";
import { keepWireFields } from "../../../runtime/message/field_table.ts";
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
  [-0, "d", "8000000000000000"],
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
  ["T", "000000006553f100", new Date(1_700_000_000_000)],
  ["T", "7fffffffffffffff", "9223372036854775807"],
  ["x", "00000002ff80", new Uint8Array([255, 128])],
];
for (const [tag, hex, value] of readings) {
  Deno.test(`decodeFields() reads ${tag} ${hex} as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(decoded(tag, hex), value);
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

Deno.test("decodeFields() leaves out everything from a fault on, and reads what stands before it", () => {
  for (const fault of ["\x01k?", "\x01kS\0\0\0\xff", "\x01kI\0", "\xffk", "\x01kA\xff\xff\xff\xffS"]) {
    assert.deepEqual(decodeFields(Buffer.from(`\x01at\x01${fault}`, "latin1")), { a: true });
  }
});

/** A table with one field, under key `k`, that has tables or arrays inside each other. */
function nested(tag: "F" | "A", depth: number): Buffer {
  let inner = Buffer.from(tag === "F" ? "" : "V");
  for (let level = 0; level < depth; level++) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(inner.length);
    const key = tag === "F" || level === depth - 1 ? "\x01k" : "";
    inner = Buffer.concat([Buffer.from(`${key}${tag}`), length, inner]);
  }
  return inner;
}

for (const tag of ["F", "A"] as const) {
  Deno.test(`decodeFields() reads ${tag} inside each other up to the limit, and leaves out what is deeper`, () => {
    const rest = Buffer.from("\x01at\x01");
    assert.deepEqual(Object.keys(decodeFields(Buffer.concat([nested(tag, 64), rest]))), ["k", "a"]);
    for (const depth of [65, 9_000]) {
      assert.deepEqual(decodeFields(Buffer.concat([nested(tag, depth), rest])), { a: true });
    }
  });
}

Deno.test("encodeTable() refuses what is nested more deeply than the limit, and a cycle", () => {
  for (const deeper of [(inner: FieldValue) => [inner], (inner: FieldValue) => ({ inner })]) {
    let value: FieldValue = 1;
    for (let level = 0; level < 64; level++) value = deeper(value);
    assert.ok(encoded(value).length > 0);
    assert.throws(() => encoded(deeper(value)), { name: "TypeError", message: /header "k": it is nested/ });
  }
  const cycle: Record<string, FieldValue> = {};
  cycle["self"] = cycle;
  assert.throws(() => encoded(cycle), TypeError);
});

Deno.test("encodeTable() writes a date in whole seconds, and bytes as they are", () => {
  assert.equal(encoded(new Date(1_700_000_000_999)).toString("latin1"), "T\0\0\0\0\x65\x53\xf1\0");
  assert.equal(encoded(new Uint8Array([255, 0])).toString("latin1"), "x\0\0\0\x02\xff\0");
});

Deno.test("encodeTable() refuses what would arrive as something else, and names the header", () => {
  const values = [
    NaN,
    Infinity,
    1n,
    new Date(NaN),
    new Date(-1),
    new Map(),
    () => 1,
    Symbol("s"),
    new (class A {})(),
  ];
  for (const value of values) {
    for (const placed of [value, [value], { inner: value }] as FieldValue[]) {
      assert.throws(() => encoded(placed), { name: "TypeError", message: /^Cannot carry header "k": / });
    }
  }
});

/** The fields of a copy of a table that arrived, with one header more. */
function copied(fields: Buffer): Buffer {
  const table = decodeFields(fields);
  const copy = { ...table, own: 1 };
  keepWireFields(copy, table, () => true);
  const buffer = Buffer.alloc(2048);
  return buffer.subarray(4, encodeTable(buffer, copy, 0));
}

const foreign: readonly (readonly [tag: string, hex: string])[] = [
  ["x", "0000000400fffe80"],
  ["S", "00000002ff80"],
  ["T", "000000006553f100"],
  ["T", "7fffffffffffffff"],
  ["D", "0200003039"],
  ["l", "1000000000000001"],
  ["L", "1000000000000001"],
  ["L", "0000000000000005"],
  ["f", "3dcccccd"],
  ["d", "4014000000000000"],
  ["b", "fb"],
  ["B", "fb"],
  ["s", "03e8"],
  ["u", "ffff"],
  ["i", "ffffffff"],
];
for (const [tag, hex] of foreign) {
  Deno.test(`a copy writes ${tag} ${hex} as it arrived, also inside a table`, () => {
    const plain = Buffer.concat([Buffer.from(`\x01k${tag}`), Buffer.from(hex, "hex")]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(plain.length);
    for (const fields of [plain, Buffer.concat([Buffer.from("\x01tF"), length, plain])]) {
      const copy = copied(fields);
      assert.ok(copy.includes(fields), copy.toString("hex"));
      assert.ok(copy.includes("\x03ownI"));
    }
  });
}

Deno.test("a copy writes a value that has replaced the one that arrived", () => {
  const table = decodeFields(Buffer.from("\x01kb\x05", "latin1"));
  const copy = { k: 6 };
  keepWireFields(copy, table, () => true);
  const buffer = Buffer.alloc(64);
  assert.deepEqual(decodeFields(buffer.subarray(4, encodeTable(buffer, copy, 0))), { k: 6 });
});

Deno.test("decodeFields() shows services no text that is not UTF-8", () => {
  assert.deepEqual(decodeFields(Buffer.from("\x01kS\0\0\0\x01\xff\x01at\x01", "latin1")), { a: true });
  assert.deepEqual(decodeFields(Buffer.from("\x01\xfft\x01\x01at\x01", "latin1")), { a: true });
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
