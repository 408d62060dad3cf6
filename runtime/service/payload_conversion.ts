import { BadRequestError } from "../message/errors.ts";
import { COMPRESSION_HEADER, decompress } from "../message/payload/compression.ts";
import { DEFAULT_PAYLOADS, integersWith, type Payloads, withBigints } from "../message/payload/payloads.ts";
import {
  isUtf8,
  parseContentType,
  rawSerializer,
  type Serializer,
  textSerializer,
} from "../message/serializer.ts";
import type { Conversion, Payload } from "./entrypoint.ts";

/** What Kombu reads whatever `ACCEPT` says. */
const ALWAYS_READ: readonly Serializer[] = [
  textSerializer,
  { ...textSerializer, contentType: "application/text" },
  rawSerializer,
  { ...rawSerializer, contentType: "application/octet-stream" },
];

/** Options of what reads payloads. */
export interface PayloadOptions {
  /** How the service reads payloads. @default {JSON} */
  readonly payloads?: Payloads | undefined;
  /** Whether integers of JSON beyond 2⁵³ are `bigint`s. @default {as the service has it} */
  readonly bigints?: boolean | undefined;
}

/**
 * Makes the conversion of entrypoints whose handler gets the payload.
 *
 * The handler also gets the message, if the host passes it.
 *
 * @param serializers Serializers that the entrypoint accepts beside the built-in ones. A serializer for the
 * content type of a built-in one replaces it.
 */
export function payloadConversion(
  serializers: readonly Serializer[] = [],
  { payloads: configured = DEFAULT_PAYLOADS, bigints }: PayloadOptions = {},
): Conversion {
  const payloads = withBigints(configured, bigints);
  const accepted = acceptedSerializers(
    serializers.map((each) => integersWith(each, payloads.bigints)),
    payloads,
  );
  return {
    decode(payload) {
      const decoded = decodePayload(payload, accepted, payloads);
      const { message } = payload;
      if (decoded instanceof Promise) return decoded.then((value) => argumentsOf(value, message));
      return argumentsOf(decoded, message);
    },
    encode: () => undefined,
  };
}

function argumentsOf(value: unknown, message: Payload["message"]): readonly unknown[] {
  return message === undefined ? [value] : [value, message];
}

/** Serializers by the content types that they read. */
export type AcceptedSerializers = ReadonlyMap<string, Serializer>;

/** Adds serializers to those that the service accepts, and to text and bytes. */
export function acceptedSerializers(
  serializers: readonly Serializer[] = [],
  { accepted }: Payloads = DEFAULT_PAYLOADS,
): AcceptedSerializers {
  return serializersByType([...accepted, ...ALWAYS_READ, ...serializers]);
}

/** Finds serializers by their content types. The last one of a type counts. */
export function serializersByType(serializers: readonly Serializer[]): AcceptedSerializers {
  return new Map(
    serializers.flatMap((each) =>
      [each.contentType, each.contentType.toLowerCase()].map((contentType) => [contentType, each] as const)
    ),
  );
}

/**
 * Finds the serializer of a content type, and the charset of the text.
 *
 * A type that is spelled as the serializer spells it is the common case. Another spelling may have parameters
 * and capital letters.
 */
export function serializerFor(
  contentType: string,
  accepted: AcceptedSerializers,
): { readonly serializer: Serializer | undefined; readonly charset?: string | undefined } {
  const exact = accepted.get(contentType);
  if (exact !== undefined) return { serializer: exact };
  const { type, charset } = parseContentType(contentType);
  return { serializer: accepted.get(type), charset };
}

/**
 * Decodes a body. As in Kombu, an empty body is not a mistake: it is an empty text, or no bytes.
 *
 * The result is a promise if decompressing takes another turn, as that of bzip2 does.
 *
 * @throws {BadRequestError} If the body cannot be read; the promise rejects with it.
 */
export function decodePayload(
  { body = "", contentType, headers }: Payload,
  accepted: AcceptedSerializers,
  { decompressedLimit }: Payloads = DEFAULT_PAYLOADS,
): unknown {
  if (contentType === undefined) return body;
  const { serializer, charset } = serializerFor(contentType, accepted);
  if (serializer === undefined) {
    throw malformed(
      `Cannot read a message of content type "${contentType}": the accepted types are ${
        [...new Set([...accepted.values()].map((each) => each.contentType))].join(", ")
      }`,
    );
  }
  if (serializer.contentEncoding !== "binary" && !isUtf8(charset)) {
    throw malformed(
      `Cannot read a message of content type "${contentType}": the charset "${charset}" is not supported. Send UTF-8`,
    );
  }
  if (body.length === 0) return serializer.contentEncoding === "binary" ? new Uint8Array() : "";
  const refuse = (error: unknown): never => {
    throw malformed(`Cannot read a message of content type "${contentType}": ${(error as Error).message}`);
  };
  try {
    const plain = decompress(body, headers?.[COMPRESSION_HEADER], decompressedLimit);
    if (plain instanceof Promise) return plain.then((body) => serializer.decode(body)).catch(refuse);
    return serializer.decode(plain);
  } catch (error) {
    return refuse(error);
  }
}

function malformed(message: string): BadRequestError {
  return new BadRequestError(message, { reason: "MalformedRequest" });
}
