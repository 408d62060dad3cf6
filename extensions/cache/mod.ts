/**
 * Caches results of calls and of functions, for all threads of a service: in memory, or in Redis.
 *
 * @module
 */
import "./host_half.ts";

export { type Cache, cache, type CacheOptions, type GetOptions, type LoadOptions } from "./cache.ts";
export { cachedClient, type CachedClientOptions } from "./cached_client.ts";
export type { CachedClient, CachedMethod } from "./cached_calls.ts";
export type { LifetimeOptions, StoreOptions, ValueOptions } from "./cache_options.ts";
export type { CallPolicyOptions, FallbackOptions } from "./call_policy.ts";
export type { CacheKey } from "./key.ts";
export type { NearOptions } from "./near/near_level.ts";
export type { MapBounds } from "./bounded_map.ts";
