import { deepStrictEqual, rejects, throws } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { compress, decompress } from "../../../../runtime/message/payload/compression.ts";

const GZIP = "application/x-gzip";
const text = new TextEncoder().encode("a".repeat(1_000));

Deno.test("decompress() reads zlib, which kombu calls gzip, and gzip itself", () => {
  const { body, headers } = compress(text);
  deepStrictEqual(headers, { compression: GZIP });
  deepStrictEqual(decompress(body, GZIP), text);
  deepStrictEqual(decompress(new Uint8Array(gzipSync(text)), GZIP), text);
});

Deno.test("decompress() refuses a body that becomes larger than its limit", () => {
  deepStrictEqual(decompress(compress(text).body, GZIP, 1_000), text);
  throws(() => decompress(compress(text).body, GZIP, 999), /more than 999 bytes .*raise decompressed_limit/);
});

Deno.test("decompress() refuses what is not what the header says", async () => {
  throws(() => decompress(text, GZIP), Error);
  throws(() => decompress("text", GZIP), /is not supported/);
  throws(
    () => decompress(text, "application/x-lzma"),
    /"application\/x-lzma" is not supported\. Send gzip or bzip2/,
  );
  throws(() => decompress(text, 7), /compression 7 is not supported/);
  await rejects(async () => await decompress(text, "application/x-bz2"), Error);
});

Deno.test("compress() refuses other compressions than gzip", () => {
  throws(() => compress(text, "bzip2" as "gzip"), { name: "TypeError", message: /only "gzip" is offered/ });
});
