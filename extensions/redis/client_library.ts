/**
 * The only file that names the client library, which is node-redis without its modules for Redis Stack.
 *
 * The package `redis` is this one with four modules that few programs use, and costs each thread 5 MB more.
 */
import type * as library from "npm:@redis/client@6.3.1";

export type {
  RedisClientOptions,
  RedisClientType,
  RedisClusterOptions,
  RedisClusterType,
  RedisFunctions,
  RedisModules,
  RedisScripts,
} from "npm:@redis/client@6.3.1";

/** Type of the client library. */
export type ClientLibrary = typeof library;

/** Loads the client library. A process or a thread that uses no Redis never does. */
export function loadClientLibrary(): Promise<ClientLibrary> {
  return import("npm:@redis/client@6.3.1");
}
