import type { Body } from "../message/reply.ts";

/** Stands in place of a length for a field that is absent, and for the field that is the bytes of the record. */
const ABSENT = -1;
const BYTES = -2;

/** How many numbers and how many fields each record of a ring has. */
export interface RecordShape {
  readonly numbers: number;
  readonly fields: number;
}

/**
 * The content of one record of a ring: numbers, and fields that are texts, bytes or absent.
 *
 * The texts of all fields are one text, because to move one long text costs less than to move several short ones. A
 * side of a channel uses one such object for all that it writes and one for all that it reads, so a record costs
 * no memory of its own.
 */
export class RingRecord {
  readonly numbers: Float64Array;
  /** For each field its length in UTF-16 units, or what stands for a field that is no text. */
  readonly lengths: Int32Array;
  /** The memory of the numbers and of the lengths behind them. */
  readonly head: Uint8Array<ArrayBuffer>;
  text = "";
  /** The bytes of the one field that may have some. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
  /** The place of the next field, and where it begins in the text. */
  #index = 0;
  #offset = 0;

  constructor({ numbers, fields }: RecordShape) {
    const start = numbers * Float64Array.BYTES_PER_ELEMENT;
    const memory = new ArrayBuffer(start + fields * Int32Array.BYTES_PER_ELEMENT);
    this.numbers = new Float64Array(memory, 0, numbers);
    this.lengths = new Int32Array(memory, start, fields);
    this.head = new Uint8Array(memory);
  }

  /** Forgets the fields of the record before. */
  clear(): void {
    this.#index = 0;
    this.text = "";
    this.bytes = undefined;
  }

  /** Adds the next field. */
  add(field: Body): void {
    const index = this.#index++;
    if (field === undefined) this.lengths[index] = ABSENT;
    else if (typeof field === "string") {
      this.lengths[index] = field.length;
      this.text += field;
    } else {
      this.lengths[index] = BYTES;
      this.bytes = field;
    }
  }

  /** Takes the content of another record of the same shape. */
  copy({ head, text, bytes }: RingRecord): void {
    this.head.set(head);
    this.text = text;
    this.bytes = bytes;
  }

  /** Begins to take the fields, which another side has added. */
  rewind(): void {
    this.#index = 0;
    this.#offset = 0;
  }

  /** Takes the next field, which must be a text or absent. */
  takeText(): string | undefined {
    const length = this.lengths[this.#index++]!;
    if (length === ABSENT) return undefined;
    return this.text.slice(this.#offset, this.#offset += length);
  }

  /** Takes the next field. */
  take(): Body {
    if (this.lengths[this.#index] !== BYTES) return this.takeText();
    this.#index++;
    return this.bytes ?? new Uint8Array(0);
  }

  /** Leaves all fields to whoever gets the record. */
  skip(): void {
    this.#offset = this.text.length;
  }

  /** @throws {TypeError} If the lengths of the fields do not fit the text. */
  requireEnd(): void {
    if (this.#offset !== this.text.length) {
      throw new TypeError("Cannot read a message: the lengths of its fields do not fit it");
    }
  }
}
