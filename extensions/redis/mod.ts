/**
 * Redis for services: a client, messages of channels, and locks.
 *
 * It is a door of its own, so that a process loads nothing of it unless a service uses it.
 *
 * @module
 */
import "./host_half.ts";

export type { RedisClientType, RedisClusterType } from "./client_library.ts";
export type { HeldLock } from "./held_lock.ts";
export { type Lock, lock, type LockOptions } from "./lock.ts";
export { LockLostError, LockTimeoutError } from "./lock_error.ts";
export { type Redis, redis, type RedisOptions } from "./redis.ts";
export { RedisUnavailableError } from "./redis_error.ts";
export {
  type ChannelMessage,
  type MessageFormat,
  type PatternOptions,
  subscription,
  type SubscriptionOptions,
} from "./subscription.ts";
