import { BadRequestError } from "../message/errors.ts";
import {
  decompress,
  jsonSerializer,
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
  const accepted = new Map([...BUILT_IN, ...serializers].map((each) => [each.contentType, each]));
  return {
    decode(payload) {
      const decoded = decodePayload(payload, accepted);
      return payload.message === undefined ? [decoded] : [decoded, payload.message];
    },
    encode: () => undefined,
  };
}

/** Decodes a body. As in Kombu, an empty body is not a mistake: it is an empty text, or no bytes. */
function decodePayload(
  { body = "", contentType, headers }: Payload,
  accepted: ReadonlyMap<string, Serializer>,
): unknown {
  if (contentType === undefined) return body;
  const serializer = accepted.get(contentType);
  if (serializer === undefined) {
    throw malformed(
      `Cannot read a message of content type "${contentType}": the accepted types are ${
        [...accepted.keys()].join(", ")
      }`,
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
