import { type Buffer, isUtf8 } from "node:buffer";
import { getLog } from "../../runtime/log/observe.ts";
import { FIELD_DEPTH, setWireFields, type WireField } from "../../runtime/message/field_table.ts";
import type { FieldValue } from "../../runtime/message/transport.ts";

/**
 * Reads the fields of a table. Never throws.
 *
 * A 64-bit integer that a number cannot hold exactly becomes decimal text. A timestamp becomes a `Date`. A field that is too deep or is not UTF-8 is left out, and so is everything after a fault. All
 * fields that `encodeTable()` would not write with the same bytes keep their bytes beside the table, for a
 * copy of the message.
 *
 * @param bytes The bytes that follow the length of the table.
 */
export function decodeFields(bytes: Buffer): Record<string, FieldValue> {
  return new FieldReader(bytes).read();
}

/** The last second since the epoch that a `Date` can hold. */
const LAST_SECOND = 8_640_000_000_000n;

class FieldReader {
  readonly #bytes: Buffer;
  #offset = 0;
  /** Whether the present field has, so far, the bytes that we would write. */
  #ours = true;
  /** The type of the present field that a service passes on as another type. */
  #changed: string | undefined;
  /** Why services cannot see the present field. */
  #fault: string | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): Record<string, FieldValue> {
    const table: Record<string, FieldValue> = {};
    let kept: Map<string, WireField> | undefined;
    const end = this.#bytes.length;
    try {
      while (this.#offset < end) {
        const start = this.#offset;
        this.#begin();
        const key = this.#key();
        const value = this.#value(0);
        const fault = this.#fault;
        if (fault === undefined) put(table, key, value);
        else {
          delete table[key];
          warn(`Left out header "${short(key)}" of a message: ${fault}`);
        }
        if (this.#changed !== undefined) warnOfChange(key, this.#changed);
        if (this.#ours) kept?.delete(key);
        else {
          kept ??= new Map();
          const seen = fault === undefined ? value : undefined;
          kept.set(key, { value: seen, bytes: new Uint8Array(this.#bytes.subarray(start, this.#offset)) });
        }
      }
    } catch (error) {
      warn(`Left out headers of a message: ${(error as Error).message}`);
    }
    if (kept !== undefined) setWireFields(table, kept);
    return table;
  }

  #begin(): void {
    this.#ours = true;
    this.#changed = undefined;
    this.#fault = undefined;
  }

  #table(length: number, depth: number): Record<string, FieldValue> {
    const end = this.#offset + length;
    const table: Record<string, FieldValue> = {};
    while (this.#offset < end) put(table, this.#key(), this.#value(depth));
    return table;
  }

  #key(): string {
    return this.#text(this.#bytes.readUInt8(this.#advance(1)));
  }

  #value(depth: number): FieldValue {
    const bytes = this.#bytes;
    const type = String.fromCharCode(bytes.readUInt8(this.#advance(1)));
    switch (type) {
      case "S":
        return this.#text(this.#length());
      case "I":
        return bytes.readInt32BE(this.#advance(4));
      case "L": {
        const value = bytes.readBigInt64BE(this.#advance(8));
        return value === BigInt.asIntN(32, value) ? this.#others(Number(value)) : this.#exact(value);
      }
      case "d": {
        const value = bytes.readDoubleBE(this.#advance(8));
        return Number.isInteger(value) || !Number.isFinite(value) ? this.#others(value) : value;
      }
      case "t": {
        const value = bytes.readUInt8(this.#advance(1));
        return value > 1 ? this.#others(true) : value === 1;
      }
      case "V":
        return null;
      case "A":
      case "F": {
        const length = this.#length();
        if (depth < FIELD_DEPTH) {
          return type === "A" ? this.#array(length, depth + 1) : this.#table(length, depth + 1);
        }
        this.#advance(length);
        this.#ours = false;
        this.#fault = `it is nested more than ${FIELD_DEPTH} levels deep`;
        return null;
      }
      case "l":
        this.#ours = false;
        return this.#exact(bytes.readBigInt64BE(this.#advance(8)));
      case "b":
        return this.#others(bytes.readInt8(this.#advance(1)));
      case "B":
        return this.#others(bytes.readUInt8(this.#advance(1)));
      case "s":
        return this.#others(bytes.readInt16BE(this.#advance(2)));
      case "u":
        return this.#others(bytes.readUInt16BE(this.#advance(2)));
      case "i":
        return this.#others(bytes.readUInt32BE(this.#advance(4)));
      case "f":
        return this.#others(bytes.readFloatBE(this.#advance(4)));
      case "D": {
        const places = bytes.readUInt8(this.#advance(1));
        return this.#others(bytes.readInt32BE(this.#advance(4)) / 10 ** places, "a decimal");
      }
      case "T":
        return this.#date(bytes.readBigUInt64BE(this.#advance(8)));
      case "x": {
        const length = this.#length();
        const start = this.#advance(length);
        return new Uint8Array(bytes.subarray(start, start + length));
      }
      default:
        throw new TypeError(`Type tag "${type}" is not known`);
    }
  }

  #date(seconds: bigint): FieldValue {
    if (seconds <= LAST_SECOND) return new Date(Number(seconds) * 1_000);
    this.#others(0, "a timestamp that no Date can hold");
    return this.#exact(seconds);
  }

  #array(length: number, depth: number): FieldValue[] {
    const end = this.#offset + length;
    const values: FieldValue[] = [];
    while (this.#offset < end) values.push(this.#value(depth));
    return values;
  }

  #length(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  #text(length: number): string {
    const start = this.#advance(length);
    const text = this.#bytes.toString("utf8", start, start + length);
    if (text.includes("\uFFFD") && !isUtf8(this.#bytes.subarray(start, start + length))) {
      this.#ours = false;
      this.#fault = "it is not UTF-8 text";
    }
    return text;
  }

  /** Returns a 64-bit integer as a number if a number can hold it exactly, otherwise as decimal text. */
  #exact(value: bigint): number | string {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : this.#others(value.toString(), "a 64-bit integer");
  }

  /** Notes that a value has a type that we do not write, and, if it changes on the way, what it was. */
  #others<Value>(value: Value, changed?: string): Value {
    this.#ours = false;
    this.#changed ??= changed;
    return value;
  }

  /** Steps over `size` bytes and returns the offset where they began. */
  #advance(size: number): number {
    const start = this.#offset;
    this.#offset += size;
    if (this.#offset > this.#bytes.length) throw new RangeError("A length exceeds the table");
    return start;
  }
}

function put(table: Record<string, FieldValue>, key: string, value: FieldValue): void {
  // An assignment to this key would set the prototype.
  if (key === "__proto__") {
    Object.defineProperty(table, key, { value, enumerable: true, configurable: true, writable: true });
  } else table[key] = value;
}

/** Largest number of headers that are named once, so that their number cannot grow without end. */
const NAMED_LIMIT = 100;

const named = new Set<string>();

/** Says once for each header that a service would pass it on as another type. Enoki's and brokers' are silent. */
function warnOfChange(key: string, type: string): void {
  if (key.startsWith("x-") || named.has(key) || named.size >= NAMED_LIMIT) return;
  named.add(key);
  warn(
    `Header "${short(key)}" arrives as ${type}, which services do not have: they get a number or text, ` +
      "and pass that on",
  );
}

function warn(text: string): void {
  getLog().warning(text);
}

function short(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 60)}…`;
}
