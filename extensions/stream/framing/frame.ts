/**
 * How the bytes of a connection become the data that handlers get, and back.
 *
 * `lines`: each line is a text without its end. `bytes`: what arrives, as it arrives. `length-prefixed`: each
 * frame is preceded by the number of its bytes, the highest byte first.
 */

/** How a stream divides its bytes. */
export type Framing = "lines" | "bytes" | "length-prefixed";

/** How texts are encoded. */
export type StreamEncoding = "utf-8" | "latin1";

/** Everything that decides how bytes are divided. */
export interface FrameFormat {
  /** How the bytes of a connection become messages. */
  readonly framing: Framing;
  /** How bytes become text. */
  readonly encoding: StreamEncoding;
  /** What ends a line that is written. Lines that are read may end in either. */
  readonly lineEnd: "\n" | "\r\n";
  /** Bytes of the length before a frame. */
  readonly prefix: 1 | 2 | 4;
}

/**
 * The data that a handler gets.
 *
 * @internal
 */
export type DataOf<Kind extends Framing> = Kind extends "lines" ? string : Uint8Array<ArrayBuffer>;

/**
 * The data that a handler may write.
 *
 * @internal
 */
export type WritableOf<Kind extends Framing> = Kind extends "lines" ? string : string | Uint8Array;

/** A piece of data, written or read. */
export type StreamData = string | Uint8Array<ArrayBuffer>;

/** A frame is longer than the limit allows. */
export class OversizedFrame extends Error {}

/** Divides the bytes that arrive. The work is linear, however small the chunks are. */
export interface FrameReader {
  /** Takes bytes. It copies them: the caller may use their memory again. */
  push(chunk: Uint8Array): void;
  /**
   * Returns the next frame; undefined if no whole one is there.
   *
   * @throws {OversizedFrame} If the next frame is longer than the limit allows. No frame comes after that.
   */
  next(): StreamData | undefined;
  /** About the bytes that are here and that nobody has taken. */
  readonly waiting: number;
}

const LINE_FEED_REGEXP = /\n/;

/**
 * Makes of data what is sent for it.
 *
 * @throws {TypeError} If the data is not what the framing takes, or a line has a line end in it.
 * @throws {RangeError} If a frame is longer than its prefix can say.
 */
export function frameOf(data: unknown, { framing, encoding, lineEnd, prefix }: FrameFormat): StreamData {
  if (framing === "lines") {
    if (typeof data !== "string") {
      throw new TypeError(`Cannot write to a connection of lines: a line is text, got ${nameOf(data)}`);
    }
    if (LINE_FEED_REGEXP.test(data)) {
      throw new TypeError(
        "Cannot write a line: it has a line end in it. Write each line by itself, with writeAll()",
      );
    }
    return data + lineEnd;
  }
  if (typeof data !== "string" && !(data instanceof Uint8Array)) {
    throw new TypeError(`Cannot write to a connection: data is bytes or text, got ${nameOf(data)}`);
  }
  if (framing === "bytes") return data as StreamData;
  const bytes = typeof data === "string" ? encodeText(data, encoding) : data;
  const frame = new Uint8Array(prefix + bytes.length);
  if (bytes.length >= 256 ** prefix) {
    throw new RangeError(
      `Cannot write a frame of ${bytes.length} bytes: its length does not fit into ${prefix} byte(s). ` +
        "Write shorter frames, or choose a longer prefix",
    );
  }
  for (let at = prefix, rest = bytes.length; at > 0; rest = Math.floor(rest / 256)) frame[--at] = rest % 256;
  frame.set(bytes, prefix);
  return frame;
}

const ENCODER = new TextEncoder();

/** Encodes text. Latin-1 has no other characters than U+0000 to U+00FF: of others, it keeps the lowest byte. */
export function encodeText(text: string, encoding: StreamEncoding): Uint8Array<ArrayBuffer> {
  if (encoding === "utf-8") return ENCODER.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function nameOf(data: unknown): string {
  return data === null ? "null" : typeof data === "object" ? "another object" : typeof data;
}
