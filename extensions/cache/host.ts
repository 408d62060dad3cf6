/** The main thread's half of `cache()` and `cachedClient()`: the caches of all services of the process. */
import type { DependencyHalf, DependencySetupHost } from "../../runtime/hosting/host.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import type { CacheSettings } from "./settings.ts";
import { cacheCounts, measureCache } from "./shared/counts.ts";
import { MemoryStore } from "./shared/memory_store.ts";
import type { CacheStore } from "./shared/store.ts";
import { SharedCache } from "./shared/shared_cache.ts";

export { cacheSettings } from "./settings.ts";

/** The part of a container that a cache uses. */
type CacheHost = Pick<DependencySetupHost, "service" | "config" | "metrics" | "log" | "clock">;

/** A cache that some dependencies of one service share. */
interface OpenCache {
  readonly cache: SharedCache;
  readonly store: string;
  /** The dependencies that use it. */
  readonly users: Set<string>;
  /** Number of halves that use it: after a reload, a dependency has two of them for a moment. */
  uses: number;
  readonly stopMeasuring: () => void;
}

/** The caches of a process. Each belongs to one service: no other service reads it. */
export class Caches {
  readonly #settings: CacheSettings;
  readonly #open = new Map<string, OpenCache>();

  constructor(settings: CacheSettings) {
    this.#settings = settings;
  }

  /**
   * Makes the half of a dependency. Dependencies of one service that name the same cache share it.
   *
   * @throws {ConfigurationError} If another dependency names the same cache, and another store.
   */
  async halfOf(
    { key, options }: ManifestDependency,
    host: CacheHost,
  ): Promise<DependencyHalf> {
    const { service } = host;
    const { name = key, store: named } = options as { readonly name?: string; readonly store?: string };
    const store = this.#storeOf(named);
    const id = `${service}/${name}`;
    const former = this.#open.get(id);
    const other = former?.store === store ? undefined : [...former?.users ?? []].find((user) => user !== key);
    if (other !== undefined) {
      throw new ConfigurationError(
        `Cannot serve service "${service}": its dependencies "${other}" and "${key}" share the cache "${name}", ` +
          "and name different stores. Name the same store, or give one of them another name",
      );
    }
    const open = former?.store === store ? former : await this.#make(name, store, host);
    this.#open.set(id, open);
    open.users.add(key);
    open.uses++;
    return {
      answer: (body, { signal } = {}) => open.cache.answer(body, signal),
      [Symbol.asyncDispose]: async () => {
        if (--open.uses > 0) return;
        if (this.#open.get(id) === open) this.#open.delete(id);
        open.stopMeasuring();
        await open.cache[Symbol.asyncDispose]();
      },
    };
  }

  async #make(
    name: string,
    store: string,
    host: CacheHost,
  ): Promise<OpenCache> {
    const { service, metrics, clock } = host;
    const counts = cacheCounts(metrics, service, name);
    const { maxEntries, maxBytes } = this.#settings;
    const made = store === "memory"
      ? new MemoryStore({ entries: maxEntries, bytes: maxBytes }, () => counts.evictions.add(), clock)
      : await this.#inRedis(name, store, host, () => counts.failures.add());
    const cache = new SharedCache({ store: made, counts, settings: this.#settings, clock });
    return {
      cache,
      store,
      users: new Set(),
      uses: 0,
      stopMeasuring: measureCache(metrics, service, name, cache),
    };
  }

  /** Gives the store that a dependency means: `memory`, `redis`, or the URI of the Redis that `CACHE` names. */
  #storeOf(named: string | undefined): string {
    const { store } = this.#settings;
    return named === undefined || (named === "redis" && store !== "memory") ? store : named;
  }

  async #inRedis(
    name: string,
    store: string,
    { service, config, log, clock }: CacheHost,
    onFailure: () => void,
  ): Promise<CacheStore> {
    const [{ RedisStore }, { holdConnection }, { serverOf }] = await Promise.all([
      import("./shared/redis_store.ts"),
      import("../redis/shared_connection.ts"),
      import("../redis/settings.ts"),
    ]);
    const used = `the cache "${name}"`;
    const server = serverOf(store === "redis" ? config : { REDIS: store }, { service, used });
    const { namespace, redisTimeout: timeout } = this.#settings;
    const held = holdConnection(server, log);
    return new RedisStore({ held, namespace, timeout, service, name, log, onFailure, clock });
  }
}
