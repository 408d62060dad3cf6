import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { packFields, unpackFields } from "../../../extensions/local/opaque_fields.ts";
import type { MessageProperties } from "../../../runtime/message/transport.ts";

const through = (properties: MessageProperties) =>
  unpackFields(JSON.parse(JSON.stringify(packFields(properties))));

Deno.test("packFields() brings dates and bytes through JSON, wherever they stand", () => {
  const when = new Date(1_700_000_000_000);
  const headers = {
    when,
    bytes: new Uint8Array([0, 255]),
    inner: { list: [when, 1, [new Uint8Array()]] },
    "": null,
  };
  deepStrictEqual(through({ headers, priority: 1 }), { headers, priority: 1 });
  strictEqual(headers.when, when);
});

Deno.test("packFields() returns the very properties when they have neither", () => {
  const properties = { headers: { a: [1, { b: "c" }], n: null } };
  strictEqual(packFields(properties), properties);
  strictEqual(packFields({}).headers, undefined);
});

Deno.test("unpackFields() leaves what has another form, and what is nested deeply", () => {
  const odd = [{ "\0bytes": "?" }, { "\0date": "1" }, { "\0date": {} }];
  for (const value of odd) {
    deepStrictEqual(through({ headers: { value: value as never } }), { headers: { value } });
  }
  const text = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;
  strictEqual(typeof unpackFields({ headers: JSON.parse(text) }).headers, "object");
});
