/**
 * MessagePack as a serializer, on the wire what kombu calls `msgpack`.
 *
 * @module
 */
import { decode, encode } from "npm:@msgpack/msgpack@^3.1.3";
import type { Serializer } from "../../runtime/message/serializer.ts";

/**
 * Writes and reads MessagePack: for `consume(…, { serializers: [messagepack] })` and
 * `publisher({ serializer: messagepack })`.
 *
 * Bytes stay bytes, a `Date` is MessagePack's timestamp, `undefined` becomes null, and integers beyond 2⁵³ lose
 * digits, being numbers.
 */
export const messagepack: Serializer = {
  contentType: "application/x-msgpack",
  contentEncoding: "binary",
  encode: (value) => encode(value),
  decode(body) {
    if (typeof body === "string") throw new TypeError("Cannot read MessagePack: the body is text");
    return decode(body);
  },
};
