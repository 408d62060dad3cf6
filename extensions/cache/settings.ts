import type { Section, SettingTable } from "../../runtime/config/section.ts";

/** Settings of the caches of a process. */
export interface CacheSettings {
  /** Where the caches are that do not say it themselves: `memory`, `redis` (that of `REDIS`), or the URI of a Redis. */
  readonly store: string;
  /** Entries that each cache keeps in memory. */
  readonly maxEntries: number;
  /** Bytes that each cache keeps in memory. */
  readonly maxBytes: number;
  /** Bytes of the largest value that is cached. */
  readonly maxValueBytes: number;
  /** Calls that wait for one value while somebody loads it. */
  readonly maxWaiting: number;
  /** Milliseconds that Redis has to answer. */
  readonly redisTimeout: number;
  /** What the keys in Redis begin with. */
  readonly namespace: string;
}

const STORE = /^(?:memory|redis|rediss?:\/\/.+)$/;

const EXPECTED = "memory, redis or redis://host:6379";

/** Reads `CACHE`: a mapping, or only the store. */
export function cacheSettings(root: Section): CacheSettings {
  const value = root.get("CACHE");
  const isStore = typeof value === "string";
  const at = isStore ? undefined : root.section("CACHE");
  const store = isStore ? root.text("CACHE", STORE, EXPECTED) : at?.text("store", STORE, EXPECTED);
  const settings = {
    store: store ?? "memory",
    maxEntries: at?.integer("max_entries", 1) ?? 10_000,
    maxBytes: at?.integer("max_bytes", 1) ?? 64 * 1024 * 1024,
    maxValueBytes: at?.integer("max_value_bytes", 1) ?? 1024 * 1024,
    maxWaiting: at?.integer("max_waiting", 1) ?? 1_000,
    redisTimeout: at?.milliseconds("redis_timeout", 1) ?? 500,
    namespace: at?.text("namespace", /^[\w.-]{1,50}$/, "up to 50 letters, digits, dots and dashes") ??
      "enoki",
  };
  at?.refuseOthers();
  return settings;
}

/** The settings that this file reads. */
export const CACHE_SETTINGS: SettingTable = {
  CACHE: { kind: "mapping", default: "memory", about: "where caches are: a store, or a mapping" },
  "CACHE.store": { kind: "text", default: "memory", about: "memory, redis or a URI" },
  "CACHE.max_entries": { kind: "number", default: 10_000, about: "entries that a cache keeps in memory" },
  "CACHE.max_bytes": { kind: "number", default: 67_108_864, about: "bytes that a cache keeps in memory" },
  "CACHE.max_value_bytes": { kind: "number", default: 1_048_576, about: "bytes of the largest value" },
  "CACHE.max_waiting": {
    kind: "number",
    default: 1_000,
    about: "calls that wait for a value which is loaded",
  },
  "CACHE.redis_timeout": { kind: "duration", default: "500ms", about: "how long Redis may take to answer" },
  "CACHE.namespace": { kind: "text", default: "enoki", about: "what the keys in Redis begin with" },
};
