import { encodeJson } from "../../runtime/message/codec.ts";
import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import type { JsonResult } from "../../runtime/service/json.ts";
import {
  type Lifetime,
  lifetime,
  type LifetimeOptions,
  requireKnown,
  requireTags,
  type StoreOptions,
  storeOptions,
  type ValueOptions,
} from "./cache_options.ts";
import { MOST_KEYS } from "./frame.ts";
import { type CacheKey, keyText } from "./key.ts";
import { ThreadCache } from "./near/thread_cache.ts";

/** Options of {@linkcode cache}. Those about time count for the values that state no others. */
export interface CacheOptions extends StoreOptions, LifetimeOptions {}

/** Options of {@linkcode Cache.get}. */
export interface GetOptions extends ValueOptions {
  /** Aborting ends the wait for the value. @default {the wait ends with the call in progress} */
  readonly signal?: AbortSignal;
}

/** What a loader gets. */
export interface LoadOptions {
  /** Aborts when nobody needs the value any more, or when it takes longer than `loadLimit`. */
  readonly signal: AbortSignal;
}

/** The values of a cache, which all threads of a service share. */
export interface Cache {
  /**
   * Gives a value, and loads it where nobody has it yet. While one thread loads a value, all others wait for it.
   *
   * Each caller gets a copy of its own, as JSON has it: a `Date` becomes a text. What `load` throws, this method throws
   * for the one whose `load` it was; the next one who waits runs its own.
   *
   * @throws {TypeError} If the key or the value is none that JSON can carry, or if there is no loader.
   * @throws {CallTimeoutError} If no value comes in time.
   */
  get<Value>(
    key: CacheKey,
    load: (options: LoadOptions) => Value,
    options?: GetOptions,
  ): Promise<JsonResult<Awaited<Value>>>;
  /**
   * Sets a value, in place of the one that is there or is being loaded.
   *
   * @throws {RangeError} If the value is larger than `CACHE.max_value_bytes`.
   */
  set(key: CacheKey, value: unknown, options?: ValueOptions): Promise<void>;
  /** Deletes a value. What is being loaded for the key is not kept. */
  delete(key: CacheKey): Promise<void>;
  /** Deletes all values that have one of these tags. */
  deleteTagged(...tags: readonly string[]): Promise<void>;
  /** Deletes all values. */
  clear(): Promise<void>;
}

const OWN_OPTIONS = ["ttl", "staleFor"];
const VALUE_OPTIONS = ["ttl", "staleFor", "tags"];
const GET_OPTIONS = [...VALUE_OPTIONS, "signal"];

/**
 * Injects a cache, which all threads of the service share.
 *
 * @throws {TypeError} If an option is not known.
 * @throws {RangeError} If a number makes no sense.
 *
 * @example
 * ```ts ignore
 * import { rpc, service } from "@enoki/enoki";
 * import { cache } from "@enoki/enoki/cache";
 *
 * export default service("exchange", {
 *   dependencies: { cached: cache() },
 *   entrypoints: { rates: rpc() },
 *   handlers: {
 *     rates: ({ cached }, day: string) => cached.get(["rates", day], () => fetchRates(day), { ttl: "1m" }),
 *   },
 * });
 * ```
 */
export function cache(options: CacheOptions = {}): DependencySpec<Cache> {
  const { manifest, thread } = storeOptions("a cache", options, OWN_OPTIONS);
  const defaults = lifetime("a cache", options);
  return dependency({
    kind: "cache",
    options: manifest,
    bind: (host) => {
      const values = new ThreadCache(host, thread);
      const bound = { values, defaults, name: host.key, timeout: host.callTimeout };
      return {
        get: (call) => new CallCache(bound, call),
        [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
      };
    },
  });
}

/** What the calls of one thread share. */
interface BoundCache {
  readonly values: ThreadCache;
  readonly defaults: Lifetime;
  /** Key of the dependency, for messages. */
  readonly name: string;
  /** Milliseconds to wait for another call that loads a value. */
  readonly timeout: number;
}

/** A cache as one call has it. */
class CallCache implements Cache {
  readonly #bound: BoundCache;
  readonly #call: Call;

  constructor(bound: BoundCache, call: Call) {
    this.#bound = bound;
    this.#call = call;
  }

  async get<Value>(
    key: CacheKey,
    load: (options: LoadOptions) => Value,
    options: GetOptions = {},
  ): Promise<JsonResult<Awaited<Value>>> {
    const { values, name, timeout } = this.#bound;
    if (typeof load !== "function") {
      throw new TypeError(
        `Cannot get a value of cache "${name}": there is no loader. Pass a function that loads the value: ` +
          "cache.get(key, () => …)",
      );
    }
    const text = keyText(key);
    const near = values.near(text);
    if (near !== undefined) return JSON.parse(near);
    requireKnown(`cache "${name}"`, options, GET_OPTIONS);
    const { signal } = options;
    const read = await values.read(text, load, {
      ...this.#lifetime(options),
      timeout,
      signal: signal === undefined ? this.#call.signal : AbortSignal.any([signal, this.#call.signal]),
      requiresJson: true,
    });
    return JSON.parse((read as { readonly text: string }).text);
  }

  async set(key: CacheKey, value: unknown, options: ValueOptions = {}): Promise<void> {
    const { values, name } = this.#bound;
    requireKnown(`cache "${name}"`, options, VALUE_OPTIONS);
    await values.set(encodeJson(value), { key: keyText(key), ...this.#lifetime(options) });
  }

  async delete(key: CacheKey): Promise<void> {
    await this.#bound.values.delete([keyText(key)], []);
  }

  async deleteTagged(...tags: readonly string[]): Promise<void> {
    const { values, name } = this.#bound;
    await values.delete([], requireTags(`cache "${name}"`, tags, MOST_KEYS));
  }

  async clear(): Promise<void> {
    await this.#bound.values.clear();
  }

  #lifetime({ ttl, staleFor, tags = [] }: ValueOptions): Lifetime & { readonly tags: readonly string[] } {
    const { defaults, name } = this.#bound;
    const what = `cache "${name}"`;
    return {
      ...lifetime(what, { ttl: ttl ?? defaults.ttl, staleFor: staleFor ?? defaults.staleFor }),
      tags: requireTags(what, tags),
    };
  }
}
