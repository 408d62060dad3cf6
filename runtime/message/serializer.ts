/**
 * This file turns the body of a message into a value and back, by content type.
 *
 * An entrypoint always accepts JSON, text and raw bytes, as in Nameko. It accepts another content type only
 * if it names the serializer for that type. The runtime refuses all other messages before the handler runs.
 */
import { bodyText } from "./codec.ts";

/** Writes and reads bodies of one content type. */
export interface Serializer {
  /** The content type of the messages that it writes and reads. */
  readonly contentType: string;
  /** Content encoding of a message whose body is bytes. The encoding of a text body is always `utf-8`. */
  readonly contentEncoding: string;
  /**
   * Writes a value.
   *
   * @throws If the value cannot be written.
   */
  encode(value: unknown): string | Uint8Array<ArrayBuffer>;
  /**
   * Reads a body of its content type.
   *
   * @throws If the body cannot be read.
   */
  decode(body: string | Uint8Array<ArrayBuffer>): unknown;
  /**
   * Gives the same serializer, with integers beyond 2⁵³ as `bigint`s or without them.
   *
   * @default {the serializer treats integers in one way}
   */
  withBigints?(bigints: boolean): Serializer;
}

/** The content type of MessagePack in kombu. */
export const MESSAGEPACK_CONTENT_TYPE = "application/x-msgpack";

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
