/**
 * Dates and bytes in the headers of a message, which JSON would change.
 *
 * A frame has them as an object with one key that begins with a zero character, which no header of a peer has for
 * another purpose. Most messages have none, and their properties are passed on as they are.
 */
import { Buffer } from "node:buffer";
import { FIELD_DEPTH, hasOpaque, secondsOf } from "../../runtime/message/field_table.ts";
import type { FieldTable, FieldValue, MessageProperties } from "../../runtime/message/transport.ts";

const DATE = "\0date";
const BYTES = "\0bytes";

/** Replaces dates and bytes by what JSON carries. */
export function packFields(properties: MessageProperties): MessageProperties {
  const { headers } = properties;
  return headers === undefined || !hasOpaque(headers)
    ? properties
    : { ...properties, headers: pack(headers) as FieldTable };
}

/** Puts dates and bytes back, in place. What has another form stays as it is. */
export function unpackFields(properties: MessageProperties): MessageProperties {
  if (properties.headers !== undefined) unpackWithin(properties.headers, FIELD_DEPTH);
  return properties;
}

function pack(value: FieldValue): FieldValue {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return { [DATE]: secondsOf(value) ?? 0 };
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(pack);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, pack(each)]));
}

function unpackWithin(value: FieldTable | readonly FieldValue[], depth: number): void {
  for (const [key, each] of Object.entries(value)) {
    if (typeof each !== "object" || each === null) continue;
    const packed = each as FieldTable;
    const own = unpacked(packed);
    if (own === undefined) {
      if (depth > 0) unpackWithin(packed, depth - 1);
    } else {Object.defineProperty(value, key, {
        value: own,
        enumerable: true,
        configurable: true,
        writable: true,
      });}
  }
}

function unpacked({ [DATE]: seconds, [BYTES]: base64 }: FieldTable): FieldValue | undefined {
  if (typeof seconds === "number") return new Date(seconds * 1_000);
  if (typeof base64 !== "string") return undefined;
  const bytes = Buffer.from(base64, "base64");
  // A Buffer takes what is no base64, and leaves it out.
  return bytes.toString("base64") === base64 ? new Uint8Array(bytes) : undefined;
}
