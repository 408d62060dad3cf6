/**
 * Field tables (message headers, declaration arguments) as bytes, in the types that every peer agrees on.
 *
 * AMQP 0-9-1 never settled the one-byte tags that name the type of a value. RabbitMQ reads `s`, `b` and `l`
 * as signed integers of 16, 8 and 64 bits. py-amqp reads them as a short string, an unsigned byte and an
 * unsigned 64-bit integer. So a header of 1000 that is sent as `s` crashes the frame reader of a Python
 * process. amqplib by itself writes exactly these three tags, and it drops the connection when it reads `L`,
 * the tag that py-amqp uses for every integer beyond 32 bits.
 *
 * The invariant: we write only the tags `t` `I` `L` `d` `S` `T` `x` `V` `A` `F`, which all peers read in the same
 * way, and we read every tag that RabbitMQ lets through. We write an integer within 32 bits as `I`, any other
 * integer within 64 bits as `L`, and every other number as `d`. A copy of a received message is the exception:
 * a field that we would write in another way keeps its bytes (`runtime/message/field_table.ts`).
 *
 * No table that arrives makes reading fail, because a fault there would close the connection. What cannot be
 * read is left out, and the log says so. Tables and arrays inside each other are read and written up to
 * {@linkcode FIELD_DEPTH} levels, because RabbitMQ itself has no limit and the stack has one.
 *
 * The functions have the signatures of amqplib's `lib/codec.js`, and `client_library.ts` puts them in the
 * place of amqplib's own. So this file encodes a table once, directly into the library's own buffer, and no
 * value needs a type hint around it first. A failure is visible: a test sends each tag through a broker, and
 * that test fails if the library no longer calls these functions.
 */

import { Buffer } from "node:buffer";
import {
  FIELD_DEPTH,
  isPlainTable,
  notAField,
  secondsOf,
  tooDeep,
  type WireField,
  wireFieldsOf,
} from "../../runtime/message/field_table.ts";
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

export { decodeFields } from "./field_reader.ts";

/**
 * Writes a table at `offset` and returns how many bytes the table takes.
 *
 * It writes inherited keys too, and leaves out each key whose value is `undefined`.
 *
 * @throws {RangeError} If the table does not fit into the buffer, or if a key exceeds 255 bytes.
 * @throws {TypeError} If the table has a value of a kind that a field table cannot carry.
 */
export function encodeTable(buffer: Buffer, table: FieldTable, offset: number): number {
  return writeTable(buffer, table, offset, undefined, 0) - offset;
}

/** @param header The header that the table belongs to; undefined if it is the table of all headers. */
function writeTable(
  buffer: Buffer,
  table: FieldTable,
  start: number,
  header: string | undefined,
  depth: number,
): number {
  let offset = reserve(buffer, start, 4);
  const kept = depth === 0 ? wireFieldsOf(table) : undefined;
  for (const key in table) {
    const value = table[key];
    if (value === undefined) continue;
    const wire = kept?.get(key);
    if (wire !== undefined && wire.value === value) {
      offset = writeBytes(buffer, wire.bytes, offset);
      continue;
    }
    const length = Buffer.byteLength(key);
    if (length > 255) {
      throw new RangeError(`Cannot encode a field table: key "${key.slice(0, 60)}…" exceeds 255 bytes`);
    }
    const next = reserve(buffer, offset, 1 + length);
    buffer[offset] = length;
    buffer.write(key, offset + 1);
    offset = writeValue(buffer, value, next, header ?? key, depth);
  }
  for (const [key, { value, bytes }] of kept ?? NONE) {
    if (value === undefined && !(key in table)) offset = writeBytes(buffer, bytes, offset);
  }
  buffer.writeUInt32BE(offset - start - 4, start);
  return offset;
}

const NONE: ReadonlyMap<string, WireField> = new Map();

function writeBytes(buffer: Buffer, bytes: Uint8Array, start: number): number {
  const end = reserve(buffer, start, bytes.length);
  buffer.set(bytes, start);
  return end;
}

function writeValue(buffer: Buffer, value: FieldValue, start: number, header: string, depth: number): number {
  switch (typeof value) {
    case "string":
      return writeString(buffer, value, start);
    case "number":
      if (!Number.isFinite(value)) throw notAField(header, value);
      return writeNumber(buffer, value, start);
    case "boolean": {
      const end = tag(buffer, "t", start, 1);
      buffer[start + 1] = value ? 1 : 0;
      return end;
    }
    case "object":
      if (value === null) return tag(buffer, "V", start, 0);
      if (depth >= FIELD_DEPTH) throw tooDeep(header);
      if (Array.isArray(value)) return writeArray(buffer, value, start, header, depth + 1);
      if (value instanceof Date) return writeDate(buffer, value, start, header);
      if (value instanceof Uint8Array) {
        const end = tag(buffer, "x", start, 4 + value.length);
        buffer.writeUInt32BE(value.length, start + 1);
        buffer.set(value, start + 5);
        return end;
      }
      if (!isPlainTable(value)) throw notAField(header, value);
      return writeTable(buffer, value as FieldTable, tag(buffer, "F", start, 0), header, depth + 1);
    default:
      throw notAField(header, value);
  }
}

function writeString(buffer: Buffer, text: string, start: number): number {
  const length = Buffer.byteLength(text);
  const end = tag(buffer, "S", start, 4 + length);
  buffer.writeUInt32BE(length, start + 1);
  buffer.write(text, start + 5);
  return end;
}

function writeDate(buffer: Buffer, date: Date, start: number, header: string): number {
  const seconds = secondsOf(date);
  if (seconds === undefined) throw notAField(header, date);
  const end = tag(buffer, "T", start, 8);
  buffer.writeBigUInt64BE(BigInt(seconds), start + 1);
  return end;
}

function writeNumber(buffer: Buffer, value: number, start: number): number {
  if (value === (value | 0) && !Object.is(value, -0)) {
    const end = tag(buffer, "I", start, 4);
    buffer.writeInt32BE(value, start + 1);
    return end;
  }
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63 && value !== 0) {
    const end = tag(buffer, "L", start, 8);
    buffer.writeBigInt64BE(BigInt(value), start + 1);
    return end;
  }
  const end = tag(buffer, "d", start, 8);
  buffer.writeDoubleBE(value, start + 1);
  return end;
}

function writeArray(
  buffer: Buffer,
  values: readonly FieldValue[],
  start: number,
  header: string,
  depth: number,
): number {
  let offset = tag(buffer, "A", start, 4);
  for (const value of values) offset = writeValue(buffer, value, offset, header, depth);
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
