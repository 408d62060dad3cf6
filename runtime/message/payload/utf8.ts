/** Reads UTF-8 in the main thread and in threads, at a fraction of what a `TextDecoder` takes. Browsers have only that. */
import { Buffer } from "node:buffer";
import { UTF8 } from "../codec.ts";

/** The function as it was before service code could replace it. */
const { utf8Slice } = Buffer.prototype as unknown as {
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
};

/** What `utf8Slice` puts in the place of bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * Reads UTF-8, and keeps a byte order mark.
 *
 * @throws {TypeError} If the bytes are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const text = utf8Slice.call(bytes, 0, bytes.length);
  return text.includes(REPLACEMENT) ? UTF8.decode(bytes) : text;
}
