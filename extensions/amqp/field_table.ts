/**
 * Field tables (message headers, declaration arguments) as bytes, in the types that every peer agrees on.
 *
 * AMQP 0-9-1 never settled the one-byte tags that name a value's type. RabbitMQ reads `s`, `b` and `l` as
 * signed integers of 16, 8 and 64 bits; py-amqp reads them as a short string, an unsigned byte and an unsigned
 * 64-bit integer. A header of 1000 sent as `s` therefore takes a Python process down in its frame reader. And
 * amqplib writes exactly these three by its own choice, while it drops the connection on `L`, the tag that
 * py-amqp uses for every integer beyond 32 bits.
 *
 * The invariant: we write only `t` `I` `L` `d` `S` `V` `A` `F`, whose meaning nobody disputes, and read every tag
 * that RabbitMQ lets through. An integer within 32 bits is an `I`, any other an `L`, a fraction a `d`.
 *
 * The signatures are those of amqplib's `lib/codec.js`; `client_library.ts` puts them in its place. So a table
 * is encoded once, straight into the library's own buffer, and no value is wrapped in a type hint first. It
 * fails visibly: each tag is tested against a broker, and a library that no longer calls us fails that test.
 */

import { Buffer } from "node:buffer";
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

/**
 * Writes a table at `offset`, with inherited keys and without `undefined`, and returns how many bytes it took.
 *
 * @throws {RangeError} If the table does not fit into the buffer, or a key into 255 bytes.
 * @throws {TypeError} If a table cannot carry a value of that kind.
 */
export function encodeTable(buffer: Buffer, table: FieldTable, offset: number): number {
  return writeTable(buffer, table, offset) - offset;
}

/**
 * Reads the fields of a table, given the bytes after its length.
 *
 * A 64-bit integer that a number cannot hold exactly becomes decimal text, a timestamp seconds since the epoch.
 */
export function decodeFields(bytes: Buffer): Record<string, FieldValue> {
  return new FieldReader(bytes).readTable(bytes.length);
}

function writeTable(buffer: Buffer, table: FieldTable, start: number): number {
  let offset = reserve(buffer, start, 4);
  for (const key in table) {
    const value = table[key];
    if (value === undefined) continue;
    const length = Buffer.byteLength(key);
    if (length > 255) throw new RangeError(`Cannot encode a field table: key "${key}" exceeds 255 bytes`);
    const next = reserve(buffer, offset, 1 + length);
    buffer[offset] = length;
    buffer.write(key, offset + 1);
    offset = writeValue(buffer, value, next);
  }
  buffer.writeUInt32BE(offset - start - 4, start);
  return offset;
}

function writeValue(buffer: Buffer, value: FieldValue, start: number): number {
  switch (typeof value) {
    case "string":
      return writeString(buffer, value, start);
    case "number":
      return writeNumber(buffer, value, start);
    case "boolean": {
      const end = tag(buffer, "t", start, 1);
      buffer[start + 1] = value ? 1 : 0;
      return end;
    }
    case "object":
      if (value === null) return tag(buffer, "V", start, 0);
      if (Array.isArray(value)) return writeArray(buffer, value, start);
      return writeTable(buffer, value as FieldTable, tag(buffer, "F", start, 0));
    default:
      throw new TypeError(`Cannot encode a field table: it cannot carry a ${typeof value}`);
  }
}

function writeString(buffer: Buffer, text: string, start: number): number {
  const length = Buffer.byteLength(text);
  const end = tag(buffer, "S", start, 4 + length);
  buffer.writeUInt32BE(length, start + 1);
  buffer.write(text, start + 5);
  return end;
}

function writeNumber(buffer: Buffer, value: number, start: number): number {
  if (value === (value | 0)) {
    const end = tag(buffer, "I", start, 4);
    buffer.writeInt32BE(value, start + 1);
    return end;
  }
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) {
    const end = tag(buffer, "L", start, 8);
    buffer.writeBigInt64BE(BigInt(value), start + 1);
    return end;
  }
  const end = tag(buffer, "d", start, 8);
  buffer.writeDoubleBE(value, start + 1);
  return end;
}

function writeArray(buffer: Buffer, values: readonly FieldValue[], start: number): number {
  let offset = tag(buffer, "A", start, 4);
  for (const value of values) offset = writeValue(buffer, value, offset);
  buffer.writeUInt32BE(offset - start - 5, start + 1);
  return offset;
}

/** Writes a type tag, makes sure of `size` bytes behind it, and returns where they end. */
function tag(buffer: Buffer, type: string, start: number, size: number): number {
  const end = reserve(buffer, start, 1 + size);
  buffer[start] = type.charCodeAt(0);
  return end;
}

/** Where `size` bytes from `start` end. Node would silently cut a string that does not fit. */
function reserve(buffer: Buffer, start: number, size: number): number {
  if (start + size > buffer.length) {
    throw new RangeError(`Cannot encode a field table: it exceeds ${buffer.length} bytes`);
  }
  return start + size;
}

class FieldReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  readTable(end: number): Record<string, FieldValue> {
    const table: Record<string, FieldValue> = {};
    while (this.#offset < end) {
      const key = this.#text(this.#bytes.readUInt8(this.#advance(1)));
      const value = this.#value();
      // Assigning to this one key would set the prototype.
      if (key === "__proto__") Object.defineProperty(table, key, { value, enumerable: true });
      else table[key] = value;
    }
    return table;
  }

  #value(): FieldValue {
    const bytes = this.#bytes;
    const type = String.fromCharCode(bytes.readUInt8(this.#advance(1)));
    switch (type) {
      case "S":
        return this.#text(this.#length());
      case "I":
        return bytes.readInt32BE(this.#advance(4));
      case "L":
      case "l":
        return exact(bytes.readBigInt64BE(this.#advance(8)));
      case "d":
        return bytes.readDoubleBE(this.#advance(8));
      case "t":
        return bytes.readUInt8(this.#advance(1)) !== 0;
      case "V":
        return null;
      case "A":
        return this.#array(this.#length());
      case "F": {
        const length = this.#length();
        return this.readTable(this.#offset + length);
      }
      case "b":
        return bytes.readInt8(this.#advance(1));
      case "B":
        return bytes.readUInt8(this.#advance(1));
      case "s":
        return bytes.readInt16BE(this.#advance(2));
      case "u":
        return bytes.readUInt16BE(this.#advance(2));
      case "i":
        return bytes.readUInt32BE(this.#advance(4));
      case "f":
        return bytes.readFloatBE(this.#advance(4));
      case "D": {
        const places = bytes.readUInt8(this.#advance(1));
        return bytes.readInt32BE(this.#advance(4)) / 10 ** places;
      }
      case "T":
        return exact(bytes.readBigUInt64BE(this.#advance(8)));
      case "x":
        return this.#text(this.#length());
      default:
        throw new TypeError(`Cannot decode a field table: type tag "${type}" is not known`);
    }
  }

  #array(length: number): FieldValue[] {
    const end = this.#offset + length;
    const values: FieldValue[] = [];
    while (this.#offset < end) values.push(this.#value());
    return values;
  }

  #length(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  #text(length: number): string {
    const start = this.#advance(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  /** Steps over `size` bytes and returns where they began. */
  #advance(size: number): number {
    const start = this.#offset;
    this.#offset += size;
    return start;
  }
}

/** A 64-bit integer as a number if a number can hold it exactly, otherwise as decimal text. */
function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
