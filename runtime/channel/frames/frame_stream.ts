/**
 * A stream of frames between two processes, each for one of several receivers.
 *
 * A frame begins with four 32-bit little-endian words: the number of its receiver with its kind, and the lengths of its
 * head, of its text and of its bytes. The head, the text in UTF-8 and the bytes follow.
 *
 * Frames that are written together leave in one write, and so do frames that are written while another write is under
 * way. A side reads on only when it has handled what it has read, so that a side that writes too much must wait.
 */
import { Buffer } from "node:buffer";

/** What a frame is: an order or a report as JSON, the record of a message, or a serialized message. */
export const FrameKind = { control: 0, record: 1, plain: 2 } as const;

/** One of the values of {@linkcode FrameKind}. */
export type FrameKind = typeof FrameKind[keyof typeof FrameKind];

/** The content of a frame. */
export interface Frame {
  readonly kind: FrameKind;
  /** What stands before the text. A reader must use it before the next frame. */
  readonly head?: Uint8Array | undefined;
  readonly text: string;
  /** The receiver's own. */
  readonly bytes?: Uint8Array<ArrayBuffer> | undefined;
}

const HEADER = 16;
const KIND_BITS = 2;

/** Most bytes of a text, and most bytes beside a text. */
const MOST = 256 * 1_048_576;

/** Bytes of the buffers for reading and for writing. */
const ROOM = 65_536;

/** Bytes from which they are written from where they are, and read to where they stay, without a copy. */
const LARGE = 32_768;

/** The most bytes of UTF-8 that one UTF-16 unit takes. */
const BYTES_PER_UNIT = 3;

/** Bytes that a buffer may grow to at once. Beyond that it grows with what comes, and not with what is announced. */
const GROWTH = 1_048_576;

/** Bytes that may wait to leave before whoever writes more has to wait, too. */
const MOST_UNSENT = 4 * 1_048_576;

const ENCODER = new TextEncoder();

/** The function as it was before other code could replace it. */
const { setImmediate } = globalThis;

/** Options of {@linkcode FrameWriter}. */
export interface FrameWriterOptions {
  /**
   * Whether frames leave at the end of the turn of the event loop, in one write for all of the turn, and not as soon as
   * the code has run that writes them. It is for a side that gets its work in pieces, each in a task of its own.
   *
   * @default {false}
   */
  readonly leavesAtEndOfTurn?: boolean;
}

/** Writes frames. */
export class FrameWriter {
  readonly #connection: Deno.Conn | Promise<Deno.Conn>;
  readonly #leavesAtEndOfTurn: boolean;
  #pieces: Uint8Array[] = [];
  #buffer = new Uint8Array(ROOM);
  #view = new DataView(this.#buffer.buffer);
  /** Memory for the next buffer. */
  #spare: ArrayBuffer | undefined;
  /** The part of the buffer that is no piece yet. */
  #start = 0;
  #end = 0;
  #unsent = 0;
  #flushing: Promise<void> | undefined;
  #isBroken = false;

  /** @param connection The connection, or the one to come: frames wait for it. */
  constructor(
    connection: Deno.Conn | Promise<Deno.Conn>,
    { leavesAtEndOfTurn = false }: FrameWriterOptions = {},
  ) {
    this.#connection = connection;
    this.#leavesAtEndOfTurn = leavesAtEndOfTurn;
  }

  /** Bytes that were written and have not left. */
  get unsent(): number {
    return this.#unsent;
  }

  /** Whether so much waits to leave that whoever writes more has to wait until it is {@linkcode flushed}. */
  get isFull(): boolean {
    return this.#unsent > MOST_UNSENT;
  }

  /**
   * Writes a frame, or nothing once the stream is broken: who reads it learns of that.
   *
   * The caller leaves the bytes as they are from now on.
   */
  write(receiver: number, { kind, head, text, bytes }: Frame): void {
    if (this.#isBroken) return;
    const before = head === undefined ? 0 : head.length;
    const more = bytes === undefined ? 0 : bytes.length;
    const small = more < LARGE ? more : 0;
    this.#reserve(HEADER + before + text.length * BYTES_PER_UNIT + small);
    const start = this.#end;
    const textStart = start + HEADER + before;
    if (head !== undefined) this.#buffer.set(head, start + HEADER);
    // V8 joins the pieces of a text when somebody reads it, and has a fast way into the encoder for a joined text only.
    text.charCodeAt(0);
    const { written } = ENCODER.encodeInto(text, this.#buffer.subarray(textStart));
    this.#view.setUint32(start, (receiver << KIND_BITS) | kind, true);
    this.#view.setUint32(start + 4, before, true);
    this.#view.setUint32(start + 8, written, true);
    this.#view.setUint32(start + 12, more, true);
    this.#end = textStart + written;
    if (small > 0) {
      this.#buffer.set(bytes!, this.#end);
      this.#end += small;
    } else if (more > 0) {
      this.#cut();
      this.#pieces.push(bytes!);
    }
    this.#unsent += HEADER + before + written + more;
    this.#flushing ??= this.#flush();
  }

  /** Resolves when all that was written has left, or the stream is broken. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    try {
      const connection = await this.#connection;
      while (this.#unsent > 0) {
        if (this.#leavesAtEndOfTurn) await new Promise<void>((resolve) => setImmediate(resolve));
        this.#cut();
        const pieces = this.#pieces;
        this.#pieces = [];
        // What has left is not needed any longer, so that its buffer can be used again.
        const isAlone = pieces.length === 1 && pieces[0]!.buffer === this.#buffer.buffer;
        if (isAlone) this.#renew();
        for (const piece of pieces) await this.#send(connection, piece);
        if (isAlone) this.#spare = pieces[0]!.buffer as ArrayBuffer;
      }
    } catch {
      this.#isBroken = true;
      this.#pieces = [];
    }
    this.#flushing = undefined;
  }

  async #send(connection: Deno.Conn, piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) {
      const count = await connection.write(piece.subarray(at));
      at += count;
      this.#unsent -= count;
    }
  }

  /** Makes a piece of what is in the buffer. */
  #cut(): void {
    if (this.#end === this.#start) return;
    this.#pieces.push(this.#buffer.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#buffer.length) return;
    this.#cut();
    this.#renew(Math.max(ROOM, length));
  }

  #renew(length = ROOM): void {
    const memory = this.#spare?.byteLength === length ? this.#spare : new ArrayBuffer(length);
    this.#spare = undefined;
    this.#buffer = new Uint8Array(memory);
    this.#view = new DataView(memory);
    this.#start = this.#end = 0;
  }
}

/**
 * Reads frames until the stream ends.
 *
 * @param take Gets each frame, and the time at which it was read.
 * @param rest Called before each read, which waits for what it returns.
 * @throws {RangeError} If the other side has sent what is no frame.
 */
export async function readFrames(
  connection: Deno.Conn,
  take: (receiver: number, frame: Frame, at: number) => void,
  rest: () => Promise<void> | undefined = () => undefined,
): Promise<void> {
  let buffer = Buffer.alloc(ROOM);
  let start = 0;
  let end = 0;
  for (;;) {
    const resting = rest();
    if (resting !== undefined) await resting;
    const count = await connection.read(buffer.subarray(end));
    if (count === null) return;
    end += count;
    const at = performance.now();
    while (end - start >= HEADER) {
      const first = buffer.readUInt32LE(start);
      const before = buffer.readUInt32LE(start + 4);
      const length = buffer.readUInt32LE(start + 8);
      const more = buffer.readUInt32LE(start + 12);
      if (before > ROOM || length > MOST || more > MOST || (first & 3) === 3) {
        throw new RangeError("Cannot read a frame: it is no frame, or longer than one may be");
      }
      const size = HEADER + before + length + more;
      if (size > end - start) {
        // What is too large for the rest of the buffer goes on in one that grows with what has come.
        if (start + size > buffer.length) {
          const larger = Buffer.alloc(Math.max(ROOM, Math.min(size, Math.max(GROWTH, 2 * buffer.length))));
          buffer.copy(larger, 0, start, end);
          end -= start;
          start = 0;
          buffer = larger;
        }
        break;
      }
      const textStart = start + HEADER + before;
      const textEnd = textStart + length;
      take(first >>> KIND_BITS, {
        kind: (first & 3) as FrameKind,
        head: new Uint8Array(buffer.buffer, buffer.byteOffset + textStart - before, before),
        text: length === 0 ? "" : buffer.toString("utf8", textStart, textEnd),
        bytes: bytesIn(buffer, textEnd, more),
      }, at);
      start += size;
    }
    if (start === end) {
      start = end = 0;
      if (buffer.length > ROOM) buffer = Buffer.alloc(ROOM);
    } else if (end === buffer.length) {
      buffer.copy(buffer, 0, start, end);
      end -= start;
      start = 0;
    }
  }
}

/** Takes bytes out of a buffer: large ones stay in it, and then nothing else comes into it. */
function bytesIn(buffer: Buffer, at: number, length: number): Uint8Array<ArrayBuffer> | undefined {
  if (length === 0) return undefined;
  const isLast = length >= LARGE && at + length === buffer.length && buffer.length > ROOM;
  return isLast
    ? new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset + at, length)
    : new Uint8Array(buffer.subarray(at, at + length)) as Uint8Array<ArrayBuffer>;
}
