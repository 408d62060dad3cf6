import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import { pause } from "../../runtime/waiting/abort.ts";
import type { RedisConnection } from "./connection.ts";
import { ExtendedLock, type HeldLock, releaseLock } from "./held_lock.ts";
import { LockTimeoutError } from "./lock_error.ts";
import { ACQUIRE, lockKeys } from "./lock_keys.ts";
import { requireOptions } from "./options.ts";
import { serverOf } from "./settings.ts";
import { type HeldConnection, holdConnection } from "./shared_connection.ts";

/** Options of {@linkcode lock}, and of each lock. */
export interface LockOptions {
  /**
   * Milliseconds that Redis keeps the lock without news of its holder, at least 100. A holder that works longer
   * extends it by itself; the lock of a thread that has died is free after that time.
   *
   * @default {30,000}
   */
  readonly ttl?: Duration;
  /** Milliseconds to wait for a lock that is held; 0 tries once. @default {10,000} */
  readonly wait?: Duration;
}

/** Takes locks for one call. */
export interface Lock {
  /**
   * Takes a lock, as soon as nobody holds it.
   *
   * @param name Name of what is locked, such as `orders:42`, the same for all services that use this Redis.
   * @param options.signal Aborting ends the wait. The call's own signal does it, too.
   * @throws {LockTimeoutError} If it is held all the time.
   * @throws {RedisUnavailableError} If Redis is away.
   */
  (name: string, options?: LockOptions & { readonly signal?: AbortSignal }): Promise<HeldLock>;
}

const DEFAULTS = { ttl: 30_000, wait: 10_000 };

const SHORTEST_TTL = 100;

/** Milliseconds between two attempts, at first, and at most. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 250;

/**
 * Injects locks that all services and instances share which use the same Redis.
 *
 * A lock is held from `await lock("name")` until it is released, at the latest at the end of the call. It is as good as
 * one Redis is: a replica that takes over may not know it, so that two hold it. Use `fence` where that must not harm.
 *
 * @throws {TypeError} If an option is not what it has to be.
 * @throws {RangeError} If a time is out of its range.
 *
 * @example
 * ```ts ignore
 * import { rpc, service } from "@enoki/enoki";
 * import { lock } from "@enoki/enoki/redis";
 *
 * service("orders", {
 *   dependencies: { lock: lock() },
 *   entrypoints: { ship: rpc() },
 *   handlers: {
 *     async ship({ lock }, order: string) {
 *       await using held = await lock(`orders:${order}`);
 *       await printLabel(order, { signal: held.signal });
 *     },
 *   },
 * });
 * ```
 */
export function lock(options: LockOptions & { readonly name?: string } = {}): DependencySpec<Lock> {
  const { name, ...defaults } = options;
  requireOptions("lock()", { name }, { name: "a name in REDIS_URIS" });
  requireTimes("lock()", defaults);
  const used = name === undefined ? "lock()" : `lock({ name: "${name}" })`;
  return dependency({
    bind({ service, config, log }) {
      const server = serverOf(config, { service, name, used });
      let held: HeldConnection;
      const calls = new WeakMap<Call, CallLocks>();
      return {
        setup() {
          held = holdConnection(server, log);
        },
        get(call) {
          const locks = new CallLocks(call, held.connection, { ...DEFAULTS, ...defaults });
          calls.set(call, locks);
          return (name, options) => {
            const taking = locks.take(name, options);
            // The end of the call tells of a lock that nobody awaits; its failure must not end the thread.
            taking.catch(() => {});
            return taking;
          };
        },
        async release(call) {
          await calls.get(call)?.end();
        },
        async [Symbol.asyncDispose]() {
          await held?.[Symbol.asyncDispose]();
        },
      };
    },
  });
}

function requireTimes(used: string, { ttl, wait, ...others }: LockOptions): void {
  requireOptions(used, others, { ttl: "milliseconds", wait: "milliseconds" });
  for (const [name, value, least] of [["ttl", ttl, SHORTEST_TTL], ["wait", wait, 0]] as const) {
    const milliseconds = value === undefined ? least : millisecondsOf(value);
    if (milliseconds >= least && milliseconds < Infinity) continue;
    throw new RangeError(
      `Cannot use ${used}: ${name} must be milliseconds, ${least} or more, ${OR_TEXT}, got ${
        shownDuration(value)
      }`,
    );
  }
}

/** The locks of one call. */
class CallLocks {
  readonly #call: Call;
  readonly #connection: RedisConnection;
  readonly #defaults: Required<LockOptions>;
  readonly #locks = new Set<ExtendedLock>();
  readonly #waiting = new Set<string>();
  readonly #ended = new AbortController();

  constructor(call: Call, connection: RedisConnection, defaults: Required<LockOptions>) {
    this.#call = call;
    this.#connection = connection;
    this.#defaults = defaults;
  }

  async take(
    name: string,
    { signal, ...options }: LockOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<HeldLock> {
    if (typeof name !== "string" || name === "") throw new TypeError("Cannot take a lock: it has no name");
    requireTimes(`lock("${name}")`, options);
    const { ttl, wait } = { ...this.#defaults, ...options };
    const ending = AbortSignal.any([this.#call.signal, this.#ended.signal, ...(signal ? [signal] : [])]);
    this.#waiting.add(name);
    try {
      return await this.#wait(name, millisecondsOf(ttl), millisecondsOf(wait), ending);
    } finally {
      this.#waiting.delete(name);
    }
  }

  async #wait(name: string, ttl: number, wait: number, ending: AbortSignal): Promise<HeldLock> {
    const end = performance.now() + wait;
    for (let delay = FIRST_PAUSE;; delay = Math.min(delay * 2, LONGEST_PAUSE)) {
      const heldFor = await this.#try(name, ttl, ending);
      if (heldFor instanceof ExtendedLock) return heldFor;
      const left = end - performance.now();
      if (left <= 0) throw new LockTimeoutError(name, wait);
      // The pauses differ, so that those who wait do not come at once.
      await pause(Math.min(delay * (0.5 + Math.random()), left, Math.max(1, heldFor)), ending);
    }
  }

  /** Ends waits, and releases what is still held. */
  async end(): Promise<void> {
    const { service, method, log } = this.#call;
    this.#ended.abort(new Error(`Cannot take a lock: ${service}.${method} has ended`));
    for (const name of this.#waiting) {
      log.warning(`${service}.${method} does not await lock "${name}". Write await before it`);
    }
    const forgotten = [...this.#locks].filter(({ isReleased }) => !isReleased);
    for (const { name } of forgotten) {
      log.warning(`${service}.${method} has ended and did not release lock "${name}". Write await using`);
    }
    await Promise.all([...this.#locks].map((held) => held.release()));
  }

  /** Takes a lock, or gives the milliseconds after which it expires if nothing is heard of its holder. */
  async #try(name: string, ttl: number, signal: AbortSignal): Promise<ExtendedLock | number> {
    const [key, fence] = lockKeys(name);
    const token = crypto.randomUUID();
    const since = performance.now();
    try {
      const args = ["EVAL", ACQUIRE, "2", key, fence, token, String(Math.ceil(ttl))] as const;
      const got = await this.#connection.command(args, { key, signal });
      if (typeof got === "number") return got;
      signal.throwIfAborted();
      const held = new ExtendedLock(this.#connection, { name, key, token, fence: Number(got), ttl, since });
      this.#locks.add(held);
      return held;
    } catch (error) {
      // Redis may have run it all the same. This comes behind it on the same connection.
      if (this.#connection.isReady) void releaseLock(this.#connection, { key, token });
      throw error;
    }
  }
}
