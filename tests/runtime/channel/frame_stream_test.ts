import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Frame,
  FrameKind,
  FrameWriter,
  type FrameWriterOptions,
  readFrames,
} from "../../../runtime/channel/frames/frame_stream.ts";

interface Pair extends Disposable {
  readonly near: Deno.Conn;
  readonly far: Deno.Conn;
}

/** Two ends of a Unix socket. */
async function openPair(): Promise<Pair> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "socket");
  using listener = Deno.listen({ transport: "unix", path });
  const [near, far] = await Promise.all([Deno.connect({ transport: "unix", path }), listener.accept()]);
  await Deno.remove(folder, { recursive: true });
  return {
    near,
    far,
    [Symbol.dispose]() {
      near.close();
      far.close();
    },
  };
}

/** Sends frames, and returns what the other side has read once the stream has ended. */
async function passed(frames: readonly Frame[]): Promise<readonly [number, Frame][]> {
  using pair = await openPair();
  const read: [number, Frame][] = [];
  const reading = readFrames(pair.far, (receiver, { head, ...rest }) => {
    read.push([receiver, { head: head && new Uint8Array(head), ...rest }]);
  });
  const writer = new FrameWriter(pair.near);
  for (const [index, frame] of frames.entries()) writer.write(index, frame);
  await writer.flushed();
  assert.equal(writer.unsent, 0);
  await (pair.near as Deno.UnixConn).closeWrite();
  await reading;
  return read;
}

Deno.test("frames of all sizes arrive whole, in order, and with bytes of their own", async () => {
  const sizes = [0, 1, 3, 100, 32_767, 32_768, 65_536, 1_000_000, 5, 3_000_000, 70_000, 2];
  const frames = sizes.map((size, index): Frame => ({
    kind: index % 2 === 0 ? FrameKind.record : FrameKind.plain,
    head: new Uint8Array(index).fill(index),
    text: "é€😀".repeat(size % 1_000),
    bytes: size === 0 ? undefined : new Uint8Array(size).fill(index),
  }));
  const read = await passed(frames);
  assert.deepEqual(read.map(([receiver]) => receiver), frames.map((_, index) => index));
  for (const [index, [, { kind, head, text, bytes }]] of read.entries()) {
    const frame = frames[index]!;
    assert.deepEqual([kind, head, text], [frame.kind, frame.head, frame.text]);
    assert.ok(bytes?.every((byte) => byte === index) ?? true);
    assert.equal(bytes?.length, frame.bytes?.length);
  }
});

Deno.test("many small frames that are written while others leave keep their order", async () => {
  const frames = Array.from({ length: 20_000 }, (_, index): Frame => ({
    kind: FrameKind.control,
    text: `${index}`,
  }));
  const read = await passed(frames);
  assert.deepEqual(read.map(([, { text }]) => Number(text)), frames.map((_, index) => index));
});

/** Writes a frame in each of several tasks of one turn, and returns how many writes the connection gets. */
async function writesOfTurn(options: FrameWriterOptions): Promise<number> {
  let writes = 0;
  const connection = {
    write({ length }: Uint8Array) {
      writes++;
      return Promise.resolve(length);
    },
  } as Deno.Conn;
  const writer = new FrameWriter(connection, options);
  for (let task = 0; task < 3; task++) {
    writer.write(1, { kind: FrameKind.control, text: "x" });
    for (let step = 0; step < 20; step++) await undefined;
  }
  await writer.flushed();
  return writes;
}

Deno.test("the frames of all tasks of a turn leave in one write, if they may leave at its end", async () => {
  assert.equal(await writesOfTurn({ leavesAtEndOfTurn: true }), 1);
  assert.equal(await writesOfTurn({}), 3);
});

Deno.test("what is no frame, or announces more than a frame may have, is refused before its bytes come", async () => {
  const headers = [[3, 0, 0, 0], [1, 0xffff_ffff, 0, 0], [1, 0, 0x4000_0000, 0], [1, 0, 0, 0x4000_0000]];
  for (const header of headers) {
    using pair = await openPair();
    const view = new DataView(new ArrayBuffer(16));
    for (const [index, word] of header.entries()) view.setUint32(4 * index, word, true);
    await pair.near.write(new Uint8Array(view.buffer));
    await assert.rejects(readFrames(pair.far, () => {}), RangeError, String(header));
  }
});

Deno.test("a writer whose stream is broken drops what it gets", async () => {
  const writer = new FrameWriter(Promise.reject(new Error("it never came")));
  writer.write(1, { kind: FrameKind.control, text: "lost" });
  await writer.flushed();
  writer.write(1, { kind: FrameKind.control, text: "lost, too" });
  await writer.flushed();
});

Deno.test("a reader that rests takes nothing meanwhile, and misses nothing", async () => {
  using pair = await openPair();
  const taken: string[] = [];
  const rested = Promise.withResolvers<void>();
  const reading = readFrames(
    pair.far,
    (_receiver, { text }) => void taken.push(text),
    () => taken.length === 0 ? undefined : rested.promise,
  );
  const writer = new FrameWriter(pair.near);
  for (const text of ["first", "second"]) {
    writer.write(1, { kind: FrameKind.control, text });
    await writer.flushed();
    (await openPair())[Symbol.dispose]();
  }
  assert.deepEqual(taken, ["first"]);
  rested.resolve();
  await (pair.near as Deno.UnixConn).closeWrite();
  await reading;
  assert.deepEqual(taken, ["first", "second"]);
});
