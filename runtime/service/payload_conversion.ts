import { BadRequestError } from "../message/errors.ts";
import {
  decompress,
  isUtf8,
  jsonSerializer,
  parseContentType,
  rawSerializer,
  type Serializer,
  textSerializer,
} from "../message/serializer.ts";
import type { Conversion, Payload } from "./entrypoint.ts";

const BUILT_IN: readonly Serializer[] = [
  jsonSerializer,
  textSerializer,
  { ...textSerializer, contentType: "application/text" },
  rawSerializer,
  { ...rawSerializer, contentType: "application/octet-stream" },
];

/**
 * Makes the conversion of entrypoints whose handler gets the payload.
 *
 * The handler also gets the message, if the host passes it.
 *
 * @param serializers Serializers that the entrypoint accepts beside the built-in ones. A serializer for the
 * content type of a built-in one replaces it.
 */
export function payloadConversion(serializers: readonly Serializer[] = []): Conversion {
  const accepted = acceptedSerializers(serializers);
  return {
    decode(payload) {
      const decoded = decodePayload(payload, accepted);
      return payload.message === undefined ? [decoded] : [decoded, payload.message];
    },
    encode: () => undefined,
  };
}

/** Serializers by the content types that they read. */
export type AcceptedSerializers = ReadonlyMap<string, Serializer>;

/** Adds serializers to the built-in ones. */
export function acceptedSerializers(serializers: readonly Serializer[] = []): AcceptedSerializers {
  return new Map(
    [...BUILT_IN, ...serializers].flatMap((each) =>
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
 * @throws {BadRequestError} If the body cannot be read.
 */
export function decodePayload(
  { body = "", contentType, headers }: Payload,
  accepted: AcceptedSerializers,
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
  try {
    return serializer.decode(decompress(body, headers?.["compression"]));
  } catch (error) {
    throw malformed(`Cannot read a message of content type "${contentType}": ${(error as Error).message}`);
  }
}

function malformed(message: string): BadRequestError {
  return new BadRequestError(message, { reason: "MalformedRequest" });
}
