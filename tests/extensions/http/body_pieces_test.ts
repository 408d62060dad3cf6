import assert from "node:assert/strict";
import { BodyPieces } from "../../../extensions/http/request/body_pieces.ts";

/** Bytes of the buffer that a read gets. */
const BUFFER = 65_536;

Deno.test("BodyPieces joins pieces of all sizes in their order", () => {
  const pieces = new BodyPieces();
  const sizes = [1, 16_383, 16_384, 3, 65_536, 1, 1, 20_000, 50_000, 16_383, 16_383, 16_383, 16_383, 16_383];
  const all = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
  for (const piece of all) pieces.add(piece);
  assert.equal(pieces.size, sizes.reduce((sum, size) => sum + size));
  assert.deepEqual(pieces.join(), new Uint8Array(all.flatMap((piece) => [...piece])));
});

Deno.test("BodyPieces does not keep the buffer of a small piece", () => {
  const pieces = new BodyPieces();
  const buffer = new Uint8Array(BUFFER);
  for (let letter = 0; letter < 3; letter++) {
    buffer[0] = letter;
    pieces.add(buffer.subarray(0, 1));
  }
  assert.deepEqual(pieces.join(), new Uint8Array([0, 1, 2]));
});
