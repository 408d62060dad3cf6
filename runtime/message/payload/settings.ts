/**
 * The keys `serializer`, `ACCEPT`, `SERIALIZERS`, `bigints` and `decompressed_limit` of the configuration, as plain data,
 * which crosses to threads.
 */

/** The most bytes that a compressed body may have after it is decompressed, by default: 64 MiB. */
export const MAX_DECOMPRESSED_BYTES = 67_108_864;

/** The serializers that a configuration may name. `msgpack` is kombu's name of MessagePack. */
export const BUILT_IN_NAMES = ["json", "msgpack", "messagepack"] as const;

/** Name of a built-in serializer. */
export type BuiltInName = typeof BUILT_IN_NAMES[number];

/** A serializer that a configuration names. */
export interface NamedSerializer {
  readonly builtIn: BuiltInName;
  /** @default {that of the built-in serializer} */
  readonly contentType?: string;
  /** @default {that of the built-in serializer} */
  readonly contentEncoding?: string;
}

/** The settings of what a service sends and receives. */
export interface PayloadSettings {
  /** Writes what names no serializer of its own. */
  readonly serializer: NamedSerializer;
  /** Read what is received. */
  readonly accept: readonly NamedSerializer[];
  /** Whether integers of JSON beyond 2⁵³ are `bigint`s. */
  readonly bigints: boolean;
  /** The most bytes that a body may have after it is decompressed. */
  readonly decompressedLimit: number;
}

/** The settings of a configuration that says nothing. */
export const DEFAULT_PAYLOAD_SETTINGS: PayloadSettings = {
  serializer: { builtIn: "json" },
  accept: [{ builtIn: "json" }],
  bigints: false,
  decompressedLimit: MAX_DECOMPRESSED_BYTES,
};
