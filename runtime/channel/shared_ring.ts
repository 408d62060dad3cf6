/**
 * Carries numbered records from one thread to another through shared memory.
 *
 * Invariant: one side writes and the other side reads, in order, and the reader sees a record only when the
 * record is whole. The invariant holds because each side changes only its own counter, and the writer
 * publishes `WRITTEN` after the bytes. A record never wraps: if a record does not fit before the end of the
 * memory, the writer puts a mark there and writes the record at the start of the memory. A reader that found
 * no record sets a mark in `WAITING`, and a writer that takes that mark away must wake the reader. Each side
 * reads the word of the other side after it has written its own word, so the ring never holds a record that
 * the reader does not learn of.
 *
 * `Atomics.notify` wakes a thread that waits at its event loop in half the time that a message through a port
 * takes. Before version 2.7, Deno does not look at its event loop then, so the writer must wake the reader in
 * another way.
 */
import { Buffer } from "node:buffer";
import type { RingRecord } from "./ring_record.ts";

const WRITTEN = 0;
const READ = 1;
const WAITING = 2;

/** The words above have a cache line of their own. */
const WORDS_BYTES = 64;

/**
 * A record begins with the length of its text, its number and the number of its bytes. Its numbers, the lengths of its
 * fields, its text in UTF-8 and its bytes follow.
 */
const HEADER_BYTES = 16;
const WRAP = -1;

/** The most bytes of UTF-8 that one UTF-16 unit takes. */
const BYTES_PER_UNIT = 3;

const ENCODER = new TextEncoder();

/** The functions as they were before service code could replace them. */
const { exchange, load, notify, store, waitAsync } = Atomics;

/** Whether `Atomics.notify` reaches a thread that waits at its event loop. */
export const NOTIFIES = !/^2\.[0-6]\./.test(Deno.version.deno);

/**
 * Makes the memory of a ring.
 *
 * @param bytes Bytes for records, a power of two. One record may take a quarter of them.
 */
export function createRing(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS_BYTES + bytes);
}

/** The side of a ring that writes. */
export class RingWriter {
  readonly #words: Int32Array;
  readonly #records: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  /** Bytes since the beginning. All counters are in bytes, and wrap around as 32-bit numbers do. */
  #written = 0;
  /** The counter of the reader, as it was when the writer last looked. */
  #read = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS_BYTES / 4);
    this.#records = new Int32Array(memory, WORDS_BYTES);
    this.#numbers = new Float64Array(memory, WORDS_BYTES);
    this.#bytes = new Uint8Array(memory, WORDS_BYTES);
    this.#mask = this.#bytes.length - 1;
  }

  /** Writes a record. Returns false if the ring has no room for it. */
  write(number: number, { numbers, lengths, text, bytes }: RingRecord): boolean {
    const size = this.#bytes.length;
    const head = headBytes(numbers, lengths);
    const more = bytes === undefined ? 0 : bytes.length;
    const room = head + text.length * BYTES_PER_UNIT + more + ALIGNMENT;
    if (room > size / 4) return false;
    let offset = this.#written & this.#mask;
    const skipped = offset + room > size ? size - offset : 0;
    if (!this.#hasRoom(skipped + room)) return false;
    if (skipped > 0) {
      this.#records[offset >> 2] = WRAP;
      offset = 0;
    }
    const start = offset + head;
    // V8 joins the pieces of a text when somebody reads it, and has a fast way into the encoder for a joined text only.
    text.charCodeAt(0);
    const { written } = ENCODER.encodeInto(text, this.#bytes.subarray(start, offset + room));
    if (bytes !== undefined) this.#bytes.set(bytes, start + written);
    let place = offset >> 2;
    this.#records[place] = written;
    this.#records[place + 1] = number;
    this.#records[place + 2] = more;
    place = (offset + HEADER_BYTES) >> 3;
    for (let index = 0; index < numbers.length; index++) this.#numbers[place++] = numbers[index]!;
    place <<= 1;
    for (let index = 0; index < lengths.length; index++) this.#records[place++] = lengths[index]!;
    this.#written = (this.#written + skipped + recordBytes(head + written + more)) | 0;
    store(this.#words, WRITTEN, this.#written);
    return true;
  }

  /** Looks at the counter of the reader only if there seems to be no room. */
  #hasRoom(bytes: number): boolean {
    const most = this.#bytes.length - bytes;
    if (((this.#written - this.#read) | 0) <= most) return true;
    this.#read = load(this.#words, READ);
    return ((this.#written - this.#read) | 0) <= most;
  }

  /** Wakes the reader if it waits. Returns true once for each wait of the reader. */
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
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  #read = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS_BYTES / 4);
    this.#records = new Int32Array(memory, WORDS_BYTES);
    this.#numbers = new Float64Array(memory, WORDS_BYTES);
    this.#bytes = new Uint8Array(memory, WORDS_BYTES);
    this.#mask = this.#bytes.length - 1;
  }

  /**
   * The number of the next record, or undefined if there is no record.
   *
   * @throws {RangeError} If the memory holds what no writer writes.
   */
  get nextNumber(): number | undefined {
    const written = load(this.#words, WRITTEN);
    if (written === this.#read) return undefined;
    let offset = this.#read & this.#mask;
    if (this.#records[offset >> 2] === WRAP) {
      this.#read = (this.#read + this.#bytes.length - offset) | 0;
      offset = 0;
    }
    const filled = (written - this.#read) | 0;
    const number = this.#records[(offset >> 2) + 1];
    if (filled < HEADER_BYTES || filled > this.#bytes.length || number === undefined) throw brokenRing();
    return number;
  }

  /**
   * Takes the next record, which {@linkcode nextNumber} has found.
   *
   * @param record Gets the content, with a copy of the bytes.
   * @throws {RangeError} If the memory holds what no writer writes.
   */
  take(record: RingRecord): void {
    const { numbers, lengths } = record;
    const offset = this.#read & this.#mask;
    const start = offset + headBytes(numbers, lengths);
    const length = this.#records[offset >> 2]!;
    const more = this.#records[(offset >> 2) + 2]!;
    const most = this.#bytes.length - start;
    if (length < 0 || length > most || more < 0 || more > most - length) throw brokenRing();
    let place = (offset + HEADER_BYTES) >> 3;
    for (let index = 0; index < numbers.length; index++) numbers[index] = this.#numbers[place++]!;
    place <<= 1;
    for (let index = 0; index < lengths.length; index++) lengths[index] = this.#records[place++]!;
    record.text = textIn(this.#bytes, start, length);
    // A copy has memory of its own, which is not shared.
    record.bytes = more === 0
      ? undefined
      : this.#bytes.slice(start + length, start + length + more) as Uint8Array<ArrayBuffer>;
    record.rewind();
    this.#read = (this.#read + recordBytes(start - offset + length + more)) | 0;
    store(this.#words, READ, this.#read);
  }

  /**
   * Asks the writer to wake this side with the next record. Returns false if there is a record already.
   *
   * @param onWoken Called when the writer wakes this side, if {@linkcode NOTIFIES}. Nothing may call `wait`
   * again before that.
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

  /** Wakes this side itself, because a wait that never ends keeps the ring in memory. */
  endWait(): void {
    if (NOTIFIES) notify(this.#words, WAITING);
  }
}

/** Gets the bytes of each text before the text is read. */
let copy = Buffer.alloc(4_096);

/**
 * Reads a text out of shared memory.
 *
 * V8 reads UTF-8 twice: first it measures the text, then it fills it. It would write beyond the end of the text if the
 * other side changed the bytes meanwhile. So it reads a copy, which nobody else can change.
 */
function textIn(bytes: Uint8Array, start: number, length: number): string {
  if (length > copy.length) copy = Buffer.alloc(length);
  copy.set(bytes.subarray(start, start + length));
  return copy.toString("utf8", 0, length);
}

function brokenRing(): RangeError {
  return new RangeError(
    "Cannot read the ring: its counters do not fit its records. Write to it by RingWriter only",
  );
}

/** Records begin at multiples of this many bytes, because numbers take as many. */
const ALIGNMENT = 8;

function recordBytes(length: number): number {
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}

/** Returns the bytes in front of the text of a record. */
function headBytes(numbers: Float64Array, lengths: Int32Array): number {
  return HEADER_BYTES + numbers.byteLength + lengths.byteLength;
}
