/**
 * Compressed bodies as kombu has them: a header of the message names the compression.
 *
 * A few bytes can stand for gigabytes, so the size of what comes out is limited, whatever the compression.
 */
import { deflateSync, unzipSync } from "node:zlib";
import type { Body } from "../reply.ts";
import type { FieldTable } from "../transport.ts";
import { MAX_DECOMPRESSED_BYTES } from "./settings.ts";
import { decompressBzip2, OversizedBody } from "./bzip2.ts";

/** The header that names the compression of a body. */
export const COMPRESSION_HEADER = "compression";

const GZIP = "application/x-gzip";
const BZIP2 = "application/x-bz2";

/** The compressions that publishers offer. */
export type Compression = "gzip";

/**
 * Compresses a body as kombu's `gzip` does.
 *
 * The body becomes zlib data without gzip's header, and a header of the message names the compression.
 *
 * @throws {TypeError} If the compression is another one.
 */
export function compress(
  body: string | Uint8Array,
  compression: Compression = "gzip",
): { readonly body: Uint8Array<ArrayBuffer>; readonly headers: FieldTable } {
  requireCompression(compression);
  return { body: new Uint8Array(deflateSync(body)), headers: { [COMPRESSION_HEADER]: GZIP } };
}

/** @throws {TypeError} If a compression is none that is offered. */
export function requireCompression(compression: unknown): void {
  if (compression === undefined || compression === "gzip") return;
  throw new TypeError(
    `Cannot compress with ${JSON.stringify(compression)}: only "gzip" is offered, which every peer reads`,
  );
}

/**
 * Decompresses kombu's `gzip`, which is zlib, real gzip, and bzip2. A body without a compression stays as it is.
 *
 * @param limit The most bytes that the result may have.
 * @throws {Error} If the message names another compression, if the compressed body is text or is not what the header
 * says, or if the result has more bytes. For bzip2, the promise rejects.
 */
export function decompress(
  body: NonNullable<Body>,
  compression: unknown,
  limit = MAX_DECOMPRESSED_BYTES,
): NonNullable<Body> | Promise<NonNullable<Body>> {
  if (compression === undefined || compression === null) return body;
  if (typeof body !== "string") {
    if (compression === GZIP) return unzip(body, limit);
    if (compression === BZIP2) return decompressBzip2(body, limit);
  }
  throw new Error(`compression ${JSON.stringify(compression)} is not supported. Send gzip or bzip2`);
}

function unzip(body: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(unzipSync(body, { maxOutputLength: limit }));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_BUFFER_TOO_LARGE") throw error;
    throw new OversizedBody(limit);
  }
}
