/**
 * Field tables (message headers, declaration arguments) as bytes, in the types that every peer agrees on.
 *
 * AMQP 0-9-1 never settled the one-byte tags that name the type of a value. RabbitMQ reads `s`, `b` and `l`
 * as signed integers of 16, 8 and 64 bits. py-amqp reads them as a short string, an unsigned byte and an
 * unsigned 64-bit integer. So a header of 1000 that is sent as `s` crashes the frame reader of a Python
 * process. amqplib by itself writes exactly these three tags, and it drops the connection when it reads `L`,
 * the tag that py-amqp uses for every integer beyond 32 bits.
 *
 * The invariant: we write only the tags `t` `I` `L` `d` `S` `V` `A` `F`, which all peers read in the same
 * way, and we read every tag that RabbitMQ lets through. We write an integer within 32 bits as `I`, any other
 * integer within 64 bits as `L`, and every other number as `d`.
 *
 * The functions have the signatures of amqplib's `lib/codec.js`, and `client_library.ts` puts them in the
 * place of amqplib's own. So this file encodes a table once, directly into the library's own buffer, and no
 * value needs a type hint around it first. A failure is visible: a test sends each tag through a broker, and
 * that test fails if the library no longer calls these functions.
 */

import { Buffer } from "node:buffer";
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

/**
 * Writes a table at `offset` and returns how many bytes the table takes.
 *
 * It writes inherited keys too, and leaves out each key whose value is `undefined`.
 *
 * @throws {RangeError} If the table does not fit into the buffer, or if a key exceeds 255 bytes.
 * @throws {TypeError} If the table has a value of a kind that a field table cannot carry.
 */
export function encodeTable(buffer: Buffer, table: FieldTable, offset: number): number {
  return writeTable(buffer, table, offset) - offset;
}

/**
 * Reads the fields of a table.
 *
 * A 64-bit integer that a number cannot hold exactly becomes decimal text. A timestamp becomes seconds since
 * the epoch.
 *
 * @param bytes The bytes that follow the length of the table.
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

/**
 * Writes a type tag, checks that `size` bytes fit behind it, and returns the offset where these bytes end.
 */
function tag(buffer: Buffer, type: string, start: number, size: number): number {
  const end = reserve(buffer, start, 1 + size);
  buffer[start] = type.charCodeAt(0);
  return end;
}

/**
 * Returns the offset where `size` bytes from `start` end.
 *
 * The check is needed because Node would silently cut a string that does not fit.
 *
 * @throws {RangeError} If the bytes do not fit into the buffer.
 */
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
      // An assignment to this key would set the prototype.
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

  /** Steps over `size` bytes and returns the offset where they began. */
  #advance(size: number): number {
    const start = this.#offset;
    this.#offset += size;
    return start;
  }
}

/** Returns a 64-bit integer as a number if a number can hold it exactly, otherwise as decimal text. */
function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
