/**
 * This folder holds how the bodies of messages are written and read: serializers, compression, text.
 *
 * This file says how a service writes and reads what has no serializer of its own.
 *
 * A thread makes the serializers of its settings once, and loads only those that are named.
 */
import type { Serializer } from "../serializer.ts";
import { bigintJsonSerializer, jsonSerializer } from "./exact_json.ts";
import { DEFAULT_PAYLOAD_SETTINGS, type NamedSerializer, type PayloadSettings } from "./settings.ts";

/** The serializers of a service, ready for use. */
export interface Payloads {
  /** Writes what names no serializer of its own. */
  readonly serializer: Serializer;
  /** Read what is received, beside text, bytes, and what an entrypoint names. */
  readonly accepted: readonly Serializer[];
  /** Whether integers of JSON beyond 2⁵³ are `bigint`s. */
  readonly bigints: boolean;
  /** The most bytes that a body may have after it is decompressed. */
  readonly decompressedLimit: number;
}

/** What a service has whose configuration says nothing. */
export const DEFAULT_PAYLOADS: Payloads = {
  ...DEFAULT_PAYLOAD_SETTINGS,
  serializer: jsonSerializer,
  accepted: [jsonSerializer],
};

/** Makes the serializers that the settings name. */
export async function loadPayloads(settings: PayloadSettings): Promise<Payloads> {
  if (isDefault(settings)) return DEFAULT_PAYLOADS;
  const { serializer, accept, bigints, decompressedLimit } = settings;
  return {
    serializer: await load(serializer, bigints),
    accepted: await Promise.all(accept.map((each) => load(each, bigints))),
    bigints,
    decompressedLimit,
  };
}

/** Gives the same with JSON whose integers beyond 2⁵³ are `bigint`s, or are not. */
export function withBigints(payloads: Payloads, bigints: boolean | undefined): Payloads {
  if (bigints === undefined || bigints === payloads.bigints) return payloads;
  const serializer = (each: Serializer) => integersWith(each, bigints);
  return {
    ...payloads,
    serializer: serializer(payloads.serializer),
    accepted: payloads.accepted.map(serializer),
    bigints,
  };
}

/** Gives a serializer its way with integers, if it has two. The content type may be one of the configuration. */
export function integersWith(serializer: Serializer, bigints: boolean): Serializer {
  const own = serializer.withBigints?.(bigints);
  return own === undefined ? serializer : { ...serializer, encode: own.encode, decode: own.decode };
}

/** Whether a serializer writes our JSON, which is text. */
export function isOurJson({ encode }: Serializer): boolean {
  return encode === jsonSerializer.encode || encode === bigintJsonSerializer.encode;
}

/** Whether settings, which may have crossed to a thread, are the defaults. The others cost a little more to use. */
function isDefault(settings: PayloadSettings): boolean {
  return JSON.stringify(settings) === JSON.stringify(DEFAULT_PAYLOAD_SETTINGS);
}

async function load(
  { builtIn, contentType, contentEncoding }: NamedSerializer,
  bigints: boolean,
): Promise<Serializer> {
  const plain = builtIn === "json" ? jsonSerializer : (await import("./messagepack.ts")).messagepack;
  const own = integersWith(plain, bigints);
  if (contentType === undefined && contentEncoding === undefined) return own;
  return {
    ...own,
    contentType: contentType ?? own.contentType,
    contentEncoding: contentEncoding ?? own.contentEncoding,
  };
}
