import assert from "node:assert/strict";
import { type FrameHeader, FrameWriter, readFrames } from "../../../extensions/local/frame.ts";

/** The two ends of a stream. */
async function pair(): Promise<{ near: Deno.Conn; far: Deno.Conn }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const near = await Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
  return { near, far: await accepted };
}

Deno.test("readFrames() reads what FrameWriter wrote, whatever the sizes", async () => {
  const { near, far } = await pair();
  const writer = new FrameWriter(near);
  const sizes = [0, 1, 65_519, 65_520, 65_521, 7, 65_536, 300_000, 3, 2_000_000, 0, 40_000, 40_000, 40_000];
  sizes.forEach((size, index) => writer.write(["ключ", index], new Uint8Array(size).fill(index)));
  const ended = writer.flushed().then(() => near.close());
  const seen: [unknown, number, boolean][] = [];
  await readFrames(far, ([key, index], body) => {
    assert.equal(key, "ключ");
    seen.push([index, body.length, body.every((byte) => byte === index)]);
  });
  await ended;
  far.close();
  assert.deepEqual(seen, sizes.map((size, index) => [index, size, true]));
});

Deno.test("readFrames() reads a frame that comes byte by byte", async () => {
  const { near, far } = await pair();
  const frame = new Uint8Array([0, 0, 0, 7, 0, 0, 0, 2, ...new TextEncoder().encode('["one"]'), 8, 9]);
  const writing = (async () => {
    for (const byte of [...frame, ...frame]) await near.write(new Uint8Array([byte]));
    near.close();
  })();
  const seen: [FrameHeader, number[]][] = [];
  await readFrames(far, (header, body) => seen.push([header, [...body]]));
  await writing;
  far.close();
  assert.deepEqual(seen, [[["one"], [8, 9]], [["one"], [8, 9]]]);
});

Deno.test("FrameWriter.write() keeps frames that come while a write is under way", async () => {
  const { near, far } = await pair();
  const writer = new FrameWriter(near);
  const indexes: unknown[] = [];
  const reading = readFrames(far, ([index]) => indexes.push(index));
  for (let index = 0; index < 500; index++) {
    writer.write([index], new Uint8Array(index * 7));
    if (index % 50 === 0) await undefined;
  }
  await writer.flushed();
  near.close();
  await reading;
  far.close();
  assert.deepEqual(indexes, Array.from({ length: 500 }, (_, index) => index));
});
