import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import type { Payload } from "../../../runtime/service/entrypoint.ts";
import { testContext } from "../../../extensions/testing/mod.ts";
import { payloadConversion } from "../../../runtime/service/payload_conversion.ts";
import { MAX_DECOMPRESSED_BYTES } from "../../../runtime/message/payload/settings.ts";
import { transportableBody } from "../../../runtime/message/payload/transportable_body.ts";
import { parseContentType, type Serializer } from "../../../runtime/message/serializer.ts";

const { call: CALL } = testContext({ name: "orders", dependencies: {} });

const bytes = (text: string) => new TextEncoder().encode(text);

/** Decodes as an entrypoint does; rejects with what it throws. */
async function decoded(payload: Partial<Payload>, serializers: readonly Serializer[] = []): Promise<unknown> {
  const complete = { body: "", contentType: "application/json", headers: undefined, ...payload };
  const [value] = await payloadConversion(serializers).decode(complete, CALL);
  return value;
}

/** Writes numbers as so many bytes. */
const UNARY: Serializer = {
  contentType: "application/x-unary",
  contentEncoding: "binary",
  encode: (value) => new Uint8Array(Number(value)),
  decode: (body) => body.length,
};

Deno.test("payloadConversion() reads JSON, text and bytes by their content type", async () => {
  deepStrictEqual(await decoded({ body: '{"a": [1, NaN]}' }), { a: [1, NaN] });
  strictEqual(await decoded({ body: "é", contentType: "text/plain" }), "é");
  strictEqual(await decoded({ body: "é", contentType: "application/text" }), "é");
  for (const contentType of ["application/data", "application/octet-stream"]) {
    deepStrictEqual(await decoded({ body: new Uint8Array([1, 255]), contentType }), new Uint8Array([1, 255]));
  }
});

Deno.test("payloadConversion() leaves a body of no content type as it is", async () => {
  const body = new Uint8Array([1]);
  strictEqual(await decoded({ body, contentType: undefined }), body);
});

Deno.test("payloadConversion() takes an empty body for an empty text, or for no bytes", async () => {
  strictEqual(await decoded({ body: "" }), "");
  deepStrictEqual(await decoded({ body: "", contentType: "application/data" }), new Uint8Array());
});

Deno.test("payloadConversion() reads what kombu calls gzip", async () => {
  const body = new Uint8Array(deflateSync('{"a":1}'));
  deepStrictEqual(await decoded({ body, headers: { compression: "application/x-gzip" } }), { a: 1 });
});

Deno.test("payloadConversion() reads other content types only with their serializer", async () => {
  const payload = { body: new Uint8Array(3), contentType: "application/x-unary" };
  strictEqual(await decoded(payload, [UNARY]), 3);
  await rejects(decoded(payload), {
    code: "MALFORMED_REQUEST",
    message: /"application\/x-unary": the accepted types are/,
  });
});

Deno.test("payloadConversion() reads a content type whatever its parameters and capital letters are", async () => {
  for (
    const contentType of [
      "application/json; charset=utf-8",
      'APPLICATION/json ;v=1; Charset="UTF-8"',
      "application/json;charset=us-ascii",
      "application/json;",
      "application/json; charset",
    ]
  ) strictEqual(await decoded({ body: "1", contentType }), 1, contentType);
  const payload = { body: new Uint8Array(3), contentType: "application/X-Unary; charset=binary" };
  strictEqual(await decoded(payload, [{ ...UNARY, contentType: "Application/x-unary" }]), 3);
});

Deno.test("payloadConversion() refuses a charset other than UTF-8, and names it", async () => {
  const payload = { body: "1", contentType: "text/plain; charset=UTF-16" };
  await rejects(decoded(payload), {
    code: "MALFORMED_REQUEST",
    message: /charset=UTF-16": the charset "utf-16" is not supported/,
  });
});

Deno.test("payloadConversion() refuses a compressed body that is too large", async () => {
  const headers = { compression: "application/x-gzip" };
  const size = MAX_DECOMPRESSED_BYTES;
  const contentType = "application/data";
  const fitting = new Uint8Array(deflateSync(new Uint8Array(size)));
  strictEqual((await decoded({ body: fitting, contentType, headers }) as Uint8Array).length, size);
  const body = new Uint8Array(deflateSync(new Uint8Array(size + 1)));
  await rejects(decoded({ body, contentType, headers }), {
    code: "MALFORMED_REQUEST",
    message: /more than 67108864 bytes/,
  });
});

Deno.test("parseContentType() gives the type and the charset", () => {
  deepStrictEqual(parseContentType('text/Plain; a="b"; charset=Latin1'), {
    type: "text/plain",
    charset: "latin1",
  });
  deepStrictEqual(parseContentType(""), { type: "", charset: undefined });
});

for (
  const [what, payload] of [
    ["what is no JSON", { body: "{" }],
    ["what is no UTF-8", { body: new Uint8Array([0x22, 0xff, 0x22]) }],
    ["text that is not UTF-8", { body: "1", contentType: "application/json; charset=latin1" }],
    ["a compression of another kind", { body: bytes("1"), headers: { compression: "application/x-bz2" } }],
    ["what is not compressed as it says", {
      body: bytes("1"),
      headers: { compression: "application/x-gzip" },
    }],
  ] as const
) {
  Deno.test(`payloadConversion() refuses ${what}`, async () => {
    await rejects(decoded(payload), { code: "MALFORMED_REQUEST" });
  });
}

Deno.test("transportableBody() makes text of text, and a copy of all else", () => {
  strictEqual(transportableBody(bytes("é"), "application/json", false), "é");
  strictEqual(transportableBody(bytes("é"), "text/html", false), "é");
  strictEqual(transportableBody(bytes("é"), "Application/JSON ; charset=utf-8", false), "é");
  const body = bytes("é");
  for (const contentType of [undefined, "application/data"]) {
    const copy = transportableBody(body, contentType, false);
    deepStrictEqual(copy, body);
    strictEqual((copy as Uint8Array).buffer === body.buffer, false);
  }
});

Deno.test("transportableBody() leaves to the reader what is compressed or no UTF-8", () => {
  deepStrictEqual(transportableBody(bytes("x"), "application/json", true), bytes("x"));
  deepStrictEqual(
    transportableBody(new Uint8Array([0xff]), "application/json", false),
    new Uint8Array([0xff]),
  );
});
