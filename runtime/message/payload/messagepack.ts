import { decode, encode } from "npm:@msgpack/msgpack@3.1.3";
import { MESSAGEPACK_CONTENT_TYPE, type Serializer } from "../serializer.ts";

/**
 * Writes and reads MessagePack. Pass it to `consume(…, { serializers: [messagepack] })` or
 * `publisher({ serializer: messagepack })`.
 *
 * Bytes stay bytes, a `Date` becomes MessagePack's timestamp, and `undefined` becomes null. Integers beyond
 * 2⁵³ lose digits, because they are JavaScript numbers.
 */
export const messagepack: Serializer = {
  contentType: MESSAGEPACK_CONTENT_TYPE,
  contentEncoding: "binary",
  encode: (value) => encode(value),
  decode(body) {
    if (typeof body === "string") throw new TypeError("Cannot read MessagePack: the body is text");
    return decode(body);
  },
};
