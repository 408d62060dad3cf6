/**
 * How the body of a message becomes a value and back, by content type.
 *
 * JSON, text and raw bytes are always accepted, as in Nameko; anything else only where an entrypoint names its
 * serializer. What is not accepted is refused before the handler runs.
 */
import { bodyText, decodeJson, encodeJson, JSON_CONTENT_TYPE, UTF8 } from "./codec.ts";
import { deflateSync, inflateSync } from "node:zlib";
import type { Body } from "./reply.ts";
import type { FieldTable } from "./transport.ts";

/** Writes and reads bodies of one content type. */
export interface Serializer {
  readonly contentType: string;
  /** Written to messages whose bodies are bytes; a body that is text is always `utf-8`. */
  readonly contentEncoding: string;
  /** @throws If the value cannot be written. */
  encode(value: unknown): string | Uint8Array<ArrayBuffer>;
  /** @throws If the body cannot be read. */
  decode(body: string | Uint8Array<ArrayBuffer>): unknown;
}

/** JSON, the default. */
export const jsonSerializer: Serializer = {
  contentType: JSON_CONTENT_TYPE,
  contentEncoding: "utf-8",
  encode: encodeJson,
  decode: (body) => decodeJson(bodyText(body)),
};

/** Bytes or text as they are: Nameko's `raw`. What is read is bytes. */
export const rawSerializer: Serializer = {
  contentType: "application/data",
  contentEncoding: "binary",
  encode(value) {
    if (typeof value === "string") return value;
    if (value instanceof Uint8Array) return new Uint8Array(value);
    throw new TypeError("Cannot write a raw message: the payload is neither bytes nor text");
  },
  decode: (body) => typeof body === "string" ? new TextEncoder().encode(body) : body,
};

/** Text as it is. */
export const textSerializer: Serializer = {
  contentType: "text/plain",
  contentEncoding: "utf-8",
  encode: (value) => String(value),
  decode: bodyText,
};

/** Content types whose bodies are text, which crosses threads cheaper than bytes. */
const TEXT_REGEXP = /^(?:text\/|application\/(?:json|text|x-yaml)$)/;

/** A body as it crosses to a thread: text where it is text, else a copy, since the broker's buffer is reused. */
export function transportableBody(
  body: Uint8Array,
  contentType: string | undefined,
  compressed: boolean,
): NonNullable<Body> {
  if (!compressed && contentType !== undefined && TEXT_REGEXP.test(contentType)) {
    try {
      return UTF8.decode(body);
    } catch {
      return new Uint8Array(body);
    }
  }
  return new Uint8Array(body);
}

const ZLIB = "application/x-gzip";

/** Compresses a body as kombu's `gzip` does: zlib without gzip's header, and a header of the message that says so. */
export function compress(
  body: string | Uint8Array,
): { readonly body: Uint8Array; readonly headers: FieldTable } {
  return { body: new Uint8Array(deflateSync(body)), headers: { compression: ZLIB } };
}

/** Reads what {@linkcode compress} writes; other compressions are not supported. */
export function decompress(body: NonNullable<Body>, compression: unknown): NonNullable<Body> {
  if (compression === undefined || compression === null) return body;
  if (compression !== ZLIB || typeof body === "string") {
    throw new Error(`compression ${JSON.stringify(compression)} is not supported`);
  }
  return new Uint8Array(inflateSync(body));
}
