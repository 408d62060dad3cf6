/**
 * This file turns the body of a message into a value and back, by content type.
 *
 * An entrypoint always accepts JSON, text and raw bytes, as in Nameko. It accepts another content type only
 * if it names the serializer for that type. The runtime refuses all other messages before the handler runs.
 */
import { bodyText, decodeJson, encodeJson, JSON_CONTENT_TYPE, UTF8 } from "./codec.ts";
import { deflateSync, inflateSync } from "node:zlib";
import type { Body } from "./reply.ts";
import type { FieldTable } from "./transport.ts";

/** Writes and reads bodies of one content type. */
export interface Serializer {
  readonly contentType: string;
  /** Content encoding of a message whose body is bytes. The encoding of a text body is always `utf-8`. */
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

/** Nameko's `raw`: it writes bytes or text as they are, and always reads bytes. */
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

/** Writes and reads text as it is. */
export const textSerializer: Serializer = {
  contentType: "text/plain",
  contentEncoding: "utf-8",
  encode: (value) => String(value),
  decode: bodyText,
};

/** A content type in parts. */
export interface ContentType {
  /** The type without its parameters, in small letters. */
  readonly type: string;
  /** The parameter `charset` in small letters; undefined if there is none. */
  readonly charset: string | undefined;
}

/** Reads a content type such as `Application/JSON; charset="UTF-8"`. It never throws. */
export function parseContentType(text: string): ContentType {
  const [type = "", ...parameters] = text.toLowerCase().split(";").map((part) => part.trim());
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    if (equals === -1 || parameter.slice(0, equals).trim() !== "charset") continue;
    return { type, charset: parameter.slice(equals + 1).replaceAll('"', "").trim() || undefined };
  }
  return { type, charset: undefined };
}

/** Says whether text in that charset is UTF-8, as US-ASCII is, too. A body without a charset is UTF-8. */
export function isUtf8(charset: string | undefined): boolean {
  return charset === undefined || UTF8_CHARSETS.has(charset);
}

const UTF8_CHARSETS: ReadonlySet<string> = new Set(["utf-8", "utf8", "us-ascii", "ascii"]);

/** Content types whose bodies are text. Text crosses threads at a lower cost than bytes. */
const TEXT_REGEXP = /^(?:text\/|application\/(?:json|text|x-yaml)\s*(?:;|$))/i;

/**
 * Returns a body in the form that crosses to a thread.
 *
 * A body of a text type becomes text, unless it is compressed or not UTF-8. Any other body becomes a
 * copy of its bytes, because the broker's buffer is used again.
 */
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

/**
 * Compresses a body as kombu's `gzip` does.
 *
 * The body becomes zlib data without gzip's header, and a header of the message names the compression.
 */
export function compress(
  body: string | Uint8Array,
): { readonly body: Uint8Array; readonly headers: FieldTable } {
  return { body: new Uint8Array(deflateSync(body)), headers: { compression: ZLIB } };
}

/** The most bytes that a compressed body may have after it is decompressed: 64 MiB. */
export const MAX_DECOMPRESSED_BYTES = 67_108_864;

/**
 * Decompresses a body that {@linkcode compress} wrote. A body without a compression stays as it is.
 *
 * @throws {Error} If the message names another compression, if the compressed body is text or is no zlib
 * data, or if the body has more than {@linkcode MAX_DECOMPRESSED_BYTES} after it is decompressed.
 */
export function decompress(body: NonNullable<Body>, compression: unknown): NonNullable<Body> {
  if (compression === undefined || compression === null) return body;
  if (compression !== ZLIB || typeof body === "string") {
    throw new Error(`compression ${JSON.stringify(compression)} is not supported`);
  }
  try {
    return new Uint8Array(inflateSync(body, { maxOutputLength: MAX_DECOMPRESSED_BYTES }));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_BUFFER_TOO_LARGE") throw error;
    throw new Error(
      `its body has more than ${MAX_DECOMPRESSED_BYTES} bytes when it is decompressed. Send smaller messages`,
    );
  }
}
