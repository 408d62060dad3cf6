/**
 * A stream carries frames.
 *
 * A frame begins with two 32-bit big-endian lengths, of the header and of the body. The header follows as JSON, and
 * then the body as it is.
 */

/** The header says what the frame is for. It travels as JSON. */
export type FrameHeader = readonly unknown[];

/** The two lengths take this many bytes. */
const PREFIX = 8;
const ROOM = 64 * 1024;
/** We do not keep a buffer that has grown beyond this size for one large body. */
const KEPT = 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A frame writer gathers frames while a write is under way, and writes all of them at once after it. */
export class FrameWriter {
  readonly #stream: Deno.Conn;
  #buffer = new Uint8Array(ROOM);
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;
  #flushing: Promise<void> | undefined;
  #broken = false;

  constructor(stream: Deno.Conn) {
    this.#stream = stream;
  }

  /** Adds a frame. After a failed write it drops the frame, and the reader of the stream notices the failure. */
  write(header: FrameHeader, body?: Uint8Array): void {
    if (this.#broken) return;
    const json = JSON.stringify(header);
    const length = body?.length ?? 0;
    // A UTF-16 code unit takes at most three bytes of UTF-8
    this.#reserve(PREFIX + 3 * json.length + length);
    const start = this.#used;
    const { written } = encoder.encodeInto(json, this.#buffer.subarray(start + PREFIX));
    const view = new DataView(this.#buffer.buffer, start);
    view.setUint32(0, written);
    view.setUint32(4, length);
    if (body !== undefined) this.#buffer.set(body, start + PREFIX + written);
    this.#used += PREFIX + written + length;
    this.#flushing ??= this.#flush();
  }

  /** Resolves when all frames are written, or when a write has failed. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    await undefined;
    try {
      while (this.#used > 0) {
        const full = this.#buffer;
        const used = this.#used;
        this.#buffer = this.#spare ?? new Uint8Array(ROOM);
        this.#used = 0;
        for (let at = 0; at < used;) at += await this.#stream.write(full.subarray(at, used));
        this.#spare = full.length > KEPT ? undefined : full;
      }
    } catch {
      this.#broken = true;
    }
    this.#flushing = undefined;
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#buffer.length) return;
    const buffer = new Uint8Array(Math.max(2 * this.#buffer.length, this.#used + length));
    buffer.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = buffer;
  }
}

/** Reads frames until the stream ends. Each body is a copy that `take` may keep. */
export async function readFrames(
  stream: Deno.Conn,
  take: (header: FrameHeader, body: Uint8Array) => void,
): Promise<void> {
  let buffer = new Uint8Array(ROOM);
  let start = 0;
  let end = 0;
  for (;;) {
    const count = await stream.read(buffer.subarray(end));
    if (count === null) return;
    end += count;
    let wanted = PREFIX;
    while (end - start >= PREFIX) {
      const view = new DataView(buffer.buffer, start);
      const headerEnd = start + PREFIX + view.getUint32(0);
      const frameEnd = headerEnd + view.getUint32(4);
      wanted = frameEnd - start;
      if (frameEnd > end) break;
      take(
        JSON.parse(decoder.decode(buffer.subarray(start + PREFIX, headerEnd))),
        buffer.slice(headerEnd, frameEnd),
      );
      start = frameEnd;
      wanted = PREFIX;
    }
    if (start === end) {
      start = end = 0;
      if (buffer.length > KEPT) buffer = new Uint8Array(ROOM);
    } else if (end === buffer.length) {
      const larger = wanted > buffer.length ? new Uint8Array(Math.max(wanted, 2 * buffer.length)) : buffer;
      larger.set(buffer.subarray(start, end));
      buffer = larger;
      end -= start;
      start = 0;
    }
  }
}
