import { rejects, strictEqual } from "node:assert/strict";
import { decompressBzip2 } from "../../../../runtime/message/payload/bzip2.ts";

/** Written by Python's `bz2.compress`. */
const JSON_TEXT =
  "QlpoOTFBWSZTWei8HSMAAAabrBAEIBAACiKAEAoAAIAECAAgADFMAAETTTNRiekCeOICpazdFCcF3JFOFCQ6LwdIwA==";
const THREE_MILLION_TIMES_A = "QlpoOTFBWSZTWaQp0GoAFvoBCKAAQAAACCAAMMwJqmmpAi2pIEXi7kinChIUhToNQA==";

/** Two blocks of one byte each, which Python reads as "xy", and no compressor writes. */
const SHORT_BLOCKS = "QlpoOTFBWSZTWXdLsBQAAAAAgABAIAAhGEaGKCskymsucVW0YAAAABAABAQABCMI0F3JFOFCQnR3Niw=";

const bytes = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

Deno.test("decompressBzip2() reads what Python has written", async () => {
  const text = new TextDecoder().decode(await decompressBzip2(bytes(JSON_TEXT), 1_000));
  strictEqual(text, '{"a":[1,"grüße"]}');
  strictEqual((await decompressBzip2(bytes(THREE_MILLION_TIMES_A), 3_000_000)).length, 3_000_000);
});

Deno.test("decompressBzip2() refuses a body that becomes larger than its limit", async () => {
  await rejects(
    decompressBzip2(bytes(THREE_MILLION_TIMES_A), 2_999_999),
    /more than 2999999 bytes .*raise decompressed_limit/,
  );
});

Deno.test("decompressBzip2() refuses blocks that are not full, which cost as much as full ones", async () => {
  await rejects(decompressBzip2(bytes(SHORT_BLOCKS), 1_000), /no compressor writes/);
});

Deno.test("decompressBzip2() refuses every body that is cut off or damaged", async () => {
  const whole = bytes(JSON_TEXT);
  for (let length = 0; length < whole.length; length++) {
    await rejects(decompressBzip2(whole.subarray(0, length), 1_000), Error);
  }
  // The last bits fill up the last byte.
  for (let place = 0; place < whole.length - 1; place++) {
    const damaged = whole.slice();
    damaged[place]! ^= 0x55;
    // The level says only how much memory a block takes.
    if (place !== 3) await rejects(decompressBzip2(damaged, 1_000), Error);
  }
});
