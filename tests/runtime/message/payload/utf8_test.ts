import { strictEqual, throws } from "node:assert/strict";
import { decodeUtf8 } from "../../../../runtime/message/payload/utf8.ts";

const RIGHT = [[0x41], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0xef, 0xbf, 0xbd], [
  0xef,
  0xbb,
  0xbf,
]];
const WRONG = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf0, 0x9f]];

Deno.test("decodeUtf8() gives the text that a TextDecoder gives, and refuses what is no UTF-8", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (const first of [...RIGHT, ...WRONG]) {
    for (const second of [[], ...RIGHT, ...WRONG]) {
      const bytes = new Uint8Array([0, ...first, ...second, 0]).subarray(1, -1);
      const isWrong = WRONG.includes(first) || WRONG.includes(second);
      if (isWrong) throws(() => decodeUtf8(bytes), TypeError);
      else strictEqual(decodeUtf8(bytes), decoder.decode(bytes));
    }
  }
  strictEqual(decodeUtf8(new Uint8Array(0)), "");
});
