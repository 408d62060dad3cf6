import { deepStrictEqual, equal, throws } from "node:assert/strict";
import { createReader } from "../../../extensions/stream/framing/create_reader.ts";
import {
  encodeText,
  type FrameFormat,
  frameOf,
  type FrameReader,
  OversizedFrame,
  type StreamData,
} from "../../../extensions/stream/framing/frame.ts";

const LIMITS = { maxLine: 20, maxFrame: 20 };

function format(options: Partial<FrameFormat> = {}): FrameFormat {
  return { framing: "lines", encoding: "utf-8", lineEnd: "\n", prefix: 4, ...options };
}

function all(reader: FrameReader): StreamData[] {
  const found: StreamData[] = [];
  for (let data; (data = reader.next()) !== undefined;) found.push(data);
  return found;
}

/** What a reader makes of bytes that arrive in chunks of this size. */
function read(
  bytes: Uint8Array,
  size: number,
  options: Partial<FrameFormat> = {},
  limits = LIMITS,
): StreamData[] {
  const reader = createReader(format(options), limits);
  const found: StreamData[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.slice(at, at + size));
    found.push(...all(reader));
  }
  return found;
}

const utf8 = (text: string) => encodeText(text, "utf-8");

Deno.test("lines are the same however their bytes are divided, characters and CRLF included", () => {
  const bytes = utf8("héllo\r\n\n\u{1F600}\u{1F600}\r\n\uFEFFx\ra\r\r\nend\nrest");
  const expected = ["héllo", "", "\u{1F600}\u{1F600}", "\uFEFFx\ra\r", "end"];
  for (let size = 1; size <= bytes.length; size++) deepStrictEqual(read(bytes, size), expected);
});

Deno.test("bytes that are no text of the encoding are replaced, and cost only their own line", () => {
  const bytes = new Uint8Array([0xff, 0x0a, 0xe2, 0x82, 0x0a, 0x61, 0x0a]);
  for (const size of [1, 2, 7]) deepStrictEqual(read(bytes, size), ["\uFFFD", "\uFFFD", "a"]);
});

Deno.test("latin1 has a character for each byte, both ways", () => {
  const every = Uint8Array.from({ length: 256 }, (_, at) => at).filter((byte) => byte !== 10 && byte !== 13);
  const [line] = read(new Uint8Array([...every, 10]), 7, { encoding: "latin1" }, {
    maxLine: 256,
    maxFrame: 1,
  });
  deepStrictEqual(encodeText(line as string, "latin1"), every);
});

Deno.test("a line may have as many bytes as the limit says, and not one more", () => {
  for (const size of [1, 5, 64]) {
    deepStrictEqual(read(utf8(`${"x".repeat(20)}\r\n${"é".repeat(10)}\n`), size), [
      "x".repeat(20),
      "é".repeat(10),
    ]);
    throws(() => read(utf8(`${"x".repeat(21)}\n`), size), OversizedFrame);
    throws(() => read(utf8(`${"é".repeat(10)}x\n`), size), OversizedFrame);
    throws(() => read(utf8("x".repeat(21)), size), OversizedFrame);
  }
});

Deno.test("the lines before one that is too long are read", () => {
  const reader = createReader(format(), LIMITS);
  reader.push(utf8(`a\nb\n${"x".repeat(30)}`));
  equal(reader.next(), "a");
  equal(reader.next(), "b");
  throws(() => reader.next(), OversizedFrame);
});

Deno.test("frames are the same however their bytes are divided, for each length of the prefix", () => {
  const frames = [utf8("one"), new Uint8Array(0), utf8("x".repeat(20))];
  for (const prefix of [1, 2, 4] as const) {
    const options = { framing: "length-prefixed", prefix } as const;
    const bytes = new Uint8Array(
      frames.flatMap((frame) => [...frameOf(frame, format(options)) as Uint8Array]),
    );
    for (let size = 1; size <= bytes.length; size++) deepStrictEqual(read(bytes, size, options), frames);
  }
});

Deno.test("a frame that claims to be too long is refused before its bytes come", () => {
  const reader = createReader(format({ framing: "length-prefixed" }), LIMITS);
  reader.push(new Uint8Array([0xff, 0xff, 0xff, 0xff]));
  throws(() => reader.next(), { message: /4294967295 bytes/ });
});

Deno.test("bytes pass as they come, and what nobody has taken becomes one piece", () => {
  const reader = createReader(format({ framing: "bytes" }), LIMITS);
  reader.push(utf8("a"));
  deepStrictEqual(all(reader), [utf8("a")]);
  reader.push(utf8("b"));
  reader.push(utf8("c"));
  equal(reader.waiting, 2);
  deepStrictEqual(all(reader), [utf8("bc")]);
});

Deno.test("a reader copies the bytes that it gets", () => {
  for (const framing of ["lines", "bytes", "length-prefixed"] as const) {
    const chunk = framing === "length-prefixed" ? new Uint8Array([0, 0, 0, 2, 104]) : utf8("hi");
    const reader = createReader(format({ framing }), LIMITS);
    reader.push(chunk);
    chunk.fill(0);
    reader.push(framing === "length-prefixed" ? utf8("i") : utf8("\n"));
    const [data] = all(reader);
    equal(typeof data === "string" ? data : new TextDecoder().decode(data).trim(), "hi");
  }
});

Deno.test("many small chunks take linear time, whatever waits", () => {
  const time = (count: number) => {
    const limits = { maxLine: 2 * count, maxFrame: 2 * count };
    const line = createReader(format(), limits);
    const frame = createReader(format({ framing: "length-prefixed" }), limits);
    const untaken = createReader(format(), limits);
    const start = performance.now();
    frame.push(new Uint8Array([0, count >> 16, (count >> 8) & 255, count & 255]));
    const byte = utf8("x");
    const short = utf8("x\n");
    for (let at = 0; at < count; at++) {
      line.push(byte);
      line.next();
      frame.push(byte);
      frame.next();
      untaken.push(short);
    }
    all(untaken);
    return performance.now() - start;
  };
  let [few, many] = [Infinity, Infinity];
  // A busy machine makes single rounds slow, but not all of them.
  for (let round = 0; round < 30; round++) {
    few = Math.min(few, time(10_000));
    many = Math.min(many, time(80_000));
    if (round > 1 && many < 24 * few) return;
  }
  throw new Error(`eight times as many chunks took ${(many / few).toFixed(1)} times as long`);
});

Deno.test("a line with a line end in it, and data of another type, are not written", () => {
  throws(() => frameOf("a\nb", format()), { name: "TypeError", message: /line end/ });
  throws(() => frameOf(new Uint8Array(1), format()), TypeError);
  throws(() => frameOf({}, format({ framing: "bytes" })), TypeError);
  throws(() => frameOf("x".repeat(256), format({ framing: "length-prefixed", prefix: 1 })), RangeError);
  equal(frameOf("a", format({ lineEnd: "\r\n" })), "a\r\n");
});
