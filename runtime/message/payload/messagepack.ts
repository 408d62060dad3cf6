import { decode, encode } from "npm:@msgpack/msgpack@3.1.3";
import { MESSAGEPACK_CONTENT_TYPE, type Serializer } from "../serializer.ts";

/**
 * Writes and reads MessagePack. Pass it to `consume(…, { serializers: [messagepack] })` or
 * `publisher({ serializer: messagepack })`.
 *
 * Bytes stay bytes, a `Date` becomes MessagePack's timestamp, and `undefined` becomes null. Integers beyond 2⁵³ are
 * refused, unless `bigints: true` of whoever reads and writes makes them `bigint`s of up to 64 bits.
 */
export const messagepack: Serializer = {
  contentType: MESSAGEPACK_CONTENT_TYPE,
  contentEncoding: "binary",
  encode: (value) => write(value, false),
  decode: (body) => read(body, false),
  withBigints: (bigints) => bigints ? bigintMessagepack : messagepack,
};

const bigintMessagepack: Serializer = {
  ...messagepack,
  encode: (value) => write(value, true),
  decode: (body) => read(body, true),
};

/** The first byte of an integer of 64 bits, without and with a sign. */
const [UINT64, INT64] = [0xcf, 0xd3];

function read(body: string | Uint8Array<ArrayBuffer>, bigints: boolean): unknown {
  if (typeof body === "string") throw new TypeError("Cannot read MessagePack: the body is text");
  // Only such an integer may be too large for a number.
  if (!body.includes(UINT64) && !body.includes(INT64)) return decode(body);
  return settled(decode(body, { useBigInt64: true }), bigints);
}

/** Makes numbers of the integers that are safe, in place. */
function settled(value: unknown, bigints: boolean): unknown {
  if (typeof value === "bigint") {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    if (bigints) return value;
    throw new RangeError(
      `Cannot read the integer ${value}: JavaScript's numbers cannot hold it. Set bigints: true, or send text`,
    );
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const [key, each] of Object.entries(value)) {
    const own = settled(each, bigints);
    if (own !== each) (value as Record<string, unknown>)[key] = own;
  }
  return value;
}

function write(value: unknown, bigints: boolean): Uint8Array<ArrayBuffer> {
  try {
    return encode(value);
  } catch (error) {
    if (!/\[object BigInt\]/.test((error as Error).message)) throw error;
    if (!bigints) {
      throw new TypeError(
        "Cannot write a bigint as MessagePack: peers may not read it. Set bigints: true, or send text",
        { cause: error },
      );
    }
    requireRange(value);
    return encode(value, { useBigInt64: true });
  }
}

/** The library cuts off what has more bits. */
function requireRange(value: unknown): void {
  if (typeof value === "bigint") {
    if (BigInt.asUintN(64, value) === value || BigInt.asIntN(64, value) === value) return;
    throw new RangeError(
      `Cannot write the bigint ${value} as MessagePack: it has more than 64 bits. Send text`,
    );
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  for (const each of Object.values(value)) requireRange(each);
}
