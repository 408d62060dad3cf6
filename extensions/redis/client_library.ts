/**
 * The only file that imports the client library, which is node-redis without its modules for Redis Stack.
 *
 * The package `redis` is this one with four modules that few programs use, and costs each thread 5 MB more.
 *
 * OpenTelemetry's API is an optional peer of the library. Where Deno meets the library before its peer, and no lock
 * file says otherwise, it makes up a second copy of the library for the peer, and does not find it. So the peer is
 * imported at once, and the library later.
 */
import "../../runtime/telemetry/otel/api.ts";
import type * as library from "npm:@redis/client@6.3.1";

export type {
  RedisClientOptions,
  RedisClientType,
  RedisClusterOptions,
  RedisClusterType,
} from "npm:@redis/client@6.3.1";

/** Type of the client library. */
export type ClientLibrary = typeof library;

/** Loads the client library. A process or a thread that uses no Redis never does. */
export function loadClientLibrary(): Promise<ClientLibrary> {
  return import("npm:@redis/client@6.3.1");
}
