/**
 * Numbered texts from one thread to another through shared memory.
 *
 * Invariant: one side writes and the other reads, in order, and the reader sees a record only when it is whole.
 * It holds because each side changes its own counter only, and the writer publishes `WRITTEN` after the bytes. A
 * record never wraps: one that does not fit before the end of the memory begins anew at its start, after a mark.
 * A reader that found nothing says so in `WAITING`, and a writer that takes that mark away has to wake it. Both
 * look at the other's word after they have written their own, so no record is left lying with nobody told.
 *
 * A thread that waits at its event loop is woken by `Atomics.notify` in half the time that a message through a
 * port takes. Deno before 2.7 does not look at its event loop then; there, the writer has to find another way.
 */
import { Buffer } from "node:buffer";

const WRITTEN = 0;
const READ = 1;
const WAITING = 2;

/** The words above have a cache line for themselves. */
const WORDS_BYTES = 64;

/** A record is the length of its text and its number, then the text in UTF-8. */
const HEADER_BYTES = 8;
const WRAP = -1;

/** Bytes of UTF-8 that a UTF-16 unit takes at most. */
const BYTES_PER_UNIT = 3;

const ENCODER = new TextEncoder();

/** As they were before service code could replace them. */
const { exchange, load, notify, store, waitAsync } = Atomics;

/** Whether `Atomics.notify` reaches a thread that waits at its event loop. */
export const NOTIFIES = !/^2\.[0-6]\./.test(Deno.version.deno);

/**
 * Makes the memory of a ring.
 *
 * @param bytes Room for records, a power of two. One record may take a quarter of it.
 */
export function createRing(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS_BYTES + bytes);
}

/** The side of a ring that writes. */
export class RingWriter {
  readonly #words: Int32Array;
  readonly #records: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  /** In bytes since the beginning, as all counters; they wrap around as 32-bit numbers do. */
  #written = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS_BYTES / 4);
    this.#records = new Int32Array(memory, WORDS_BYTES);
    this.#bytes = new Uint8Array(memory, WORDS_BYTES);
    this.#mask = this.#bytes.length - 1;
  }

  /** Writes a record; false if there is no room for it. */
  write(number: number, text: string): boolean {
    const size = this.#bytes.length;
    const room = HEADER_BYTES + text.length * BYTES_PER_UNIT + 3;
    if (room > size / 4) return false;
    let offset = this.#written & this.#mask;
    const skipped = offset + room > size ? size - offset : 0;
    const used = (this.#written - load(this.#words, READ)) | 0;
    if (used + skipped + room > size) return false;
    if (skipped > 0) {
      this.#records[offset >> 2] = WRAP;
      offset = 0;
    }
    const { written } = ENCODER.encodeInto(text, this.#bytes.subarray(offset + HEADER_BYTES, offset + room));
    this.#records[offset >> 2] = written;
    this.#records[(offset >> 2) + 1] = number;
    this.#written = (this.#written + skipped + recordBytes(written)) | 0;
    store(this.#words, WRITTEN, this.#written);
    return true;
  }

  /** Wakes the reader, if it waits; true once for each time that it began to. */
  wake(): boolean {
    if (load(this.#words, WAITING) === 0 || exchange(this.#words, WAITING, 0) === 0) return false;
    if (NOTIFIES) notify(this.#words, WAITING);
    return true;
  }
}

/** The side of a ring that reads. */
export class RingReader {
  readonly #words: Int32Array;
  readonly #records: Int32Array;
  readonly #bytes: Buffer;
  readonly #mask: number;
  #read = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS_BYTES / 4);
    this.#records = new Int32Array(memory, WORDS_BYTES);
    this.#bytes = Buffer.from(memory, WORDS_BYTES);
    this.#mask = this.#bytes.length - 1;
  }

  /** The number of the next record; undefined if there is none. */
  get nextNumber(): number | undefined {
    if (load(this.#words, WRITTEN) === this.#read) return undefined;
    let offset = this.#read & this.#mask;
    if (this.#records[offset >> 2] === WRAP) {
      this.#read = (this.#read + this.#bytes.length - offset) | 0;
      offset = 0;
    }
    return this.#records[(offset >> 2) + 1]!;
  }

  /** Takes the next record, which {@linkcode nextNumber} has found. */
  take(): string {
    const offset = this.#read & this.#mask;
    const length = this.#records[offset >> 2]!;
    const start = offset + HEADER_BYTES;
    const text = this.#bytes.toString("utf8", start, start + length);
    this.#read = (this.#read + recordBytes(length)) | 0;
    store(this.#words, READ, this.#read);
    return text;
  }

  /**
   * Asks to be woken by the next record; false if there is one already.
   *
   * @param onWoken Called then, where {@linkcode NOTIFIES}; until it is, nothing may ask again.
   */
  wait(onWoken: () => void): boolean {
    store(this.#words, WAITING, 1);
    if (load(this.#words, WRITTEN) !== this.#read) {
      store(this.#words, WAITING, 0);
      return false;
    }
    if (!NOTIFIES) return true;
    const { async, value } = waitAsync(this.#words, WAITING, 1);
    if (async) void value.then(onWoken);
    return async;
  }

  /** Wakes itself, because a wait that nothing ends holds the ring. */
  endWait(): void {
    if (NOTIFIES) notify(this.#words, WAITING);
  }
}

/** Records begin at multiples of four, because their headers are words. */
function recordBytes(length: number): number {
  return (HEADER_BYTES + length + 3) & ~3;
}
