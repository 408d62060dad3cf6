import { type Duration, millisecondsOf } from "../../runtime/waiting/duration.ts";
import { Buffer } from "node:buffer";
import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import type { AnyRedisClient } from "./any_client.ts";
import { CallClients } from "./call_client.ts";
import type { RedisClientType, RedisClusterType } from "./client_library.ts";
import { BLOB_STRING, COMMAND_TIMEOUT } from "./connection.ts";
import { requireOptions } from "./options.ts";
import { serverOf } from "./settings.ts";
import { type HeldConnection, holdConnection } from "./shared_connection.ts";

/** Options of {@linkcode redis}. */
export interface RedisOptions {
  /** Name of the server in `REDIS_URIS`. @default {the name of the service, else the server of `REDIS`} */
  readonly name?: string;
  /**
   * What values are in replies: text in UTF-8, or `Buffer`s. Text that is no UTF-8 would lose what it cannot show.
   *
   * @default {"utf-8"}
   */
  readonly encoding?: "utf-8" | "bytes";
  /** Whether the server is a cluster, whose client differs a little. @default {false} */
  readonly cluster?: boolean;
  /**
   * Milliseconds that a command may take, the wait for the connection included. A command that blocks, such as
   * `BLPOP`, needs more than it blocks.
   *
   * @default {10,000}
   */
  readonly timeout?: Duration;
}

/** @internal */
type None = Record<never, never>;

/** Replies whose values are `Buffer`s. */
type Bytes = { readonly [BLOB_STRING]: typeof Buffer };

/** @internal */
type MappingOf<Options> = Options extends { readonly encoding: "bytes" } ? Bytes : None;

/** The client that {@linkcode redis} injects: that of node-redis, for one Redis or for a cluster. */
export type Redis<Options extends RedisOptions = None> = Options extends { readonly cluster: true }
  ? RedisClusterType<None, None, None, 3, MappingOf<Options>>
  : RedisClientType<None, None, None, 3, MappingOf<Options>>;

/**
 * Injects a client of Redis: that of node-redis, connected.
 *
 * Each thread has one connection, which all its calls share. Its server is named by the configuration: `REDIS`, or
 * `REDIS_URIS` by the name of the service or of the option. A command ends with the call's signal. A Redis that is away
 * fails its commands with {@linkcode RedisUnavailableError}, at once, and the thread connects again by itself.
 *
 * @throws {TypeError} If an option is not what it has to be.
 * @throws {RangeError} If `timeout` is not positive.
 *
 * @example
 * ```ts
 * import { rpc, service } from "@enoki/enoki";
 * import { redis } from "@enoki/enoki/redis";
 *
 * service("counter", {
 *   dependencies: { redis: redis() },
 *   entrypoints: { count: rpc() },
 *   handlers: { count: ({ redis }, name: string) => redis.incr(`count:${name}`) },
 * });
 * ```
 */
export function redis<const Options extends RedisOptions = None>(
  options?: Options,
): DependencySpec<Redis<Options>>;
/** Injects a client of the server that `REDIS_URIS` has under a name, as `Redis("name")` of nameko-redis does. */
export function redis<const Options extends Omit<RedisOptions, "name"> = None>(
  name: string,
  options?: Options,
): DependencySpec<Redis<Options>>;
export function redis(
  nameOrOptions: string | RedisOptions = {},
  others: Omit<RedisOptions, "name"> = {},
): DependencySpec<object> {
  const options: RedisOptions = typeof nameOrOptions === "string"
    ? { ...others, name: nameOrOptions }
    : nameOrOptions;
  requireOptions("redis()", options, {
    name: "a name in REDIS_URIS",
    encoding: ["utf-8", "bytes"],
    cluster: "true or false",
    timeout: "milliseconds",
  });
  const { name, encoding = "utf-8", cluster = false } = options;
  const timeout = millisecondsOf(options.timeout ?? COMMAND_TIMEOUT);
  const used = name === undefined ? "redis()" : `redis("${name}")`;
  return dependency({
    bind({ service, config, log }) {
      const server = serverOf(config, { service, name, used, cluster });
      let held: HeldConnection;
      const calls = new WeakMap<Call, CallClients>();
      const wrap = (clients: CallClients, client: AnyRedisClient): object =>
        clients.wrap<object>(
          encoding === "bytes" ? client.withTypeMapping({ [BLOB_STRING]: Buffer }) : client,
        );
      return {
        setup() {
          held = holdConnection(server, log);
        },
        get(call) {
          const { connection } = held;
          const clients = new CallClients(call, connection, timeout);
          calls.set(call, clients);
          const { client } = connection;
          return client instanceof Promise
            ? client.then((made) => wrap(clients, made))
            : wrap(clients, client);
        },
        release(call) {
          const forgotten = calls.get(call)?.forgotten ?? [];
          if (forgotten.length === 0) return;
          call.log.warning(
            `${call.service}.${call.method} does not await ${forgotten.join(", ")}: it may not have run, ` +
              "and its failure is not seen. Write await before it",
          );
        },
        async [Symbol.asyncDispose]() {
          await held?.[Symbol.asyncDispose]();
        },
      };
    },
  });
}
