/**
 * Keeps the values of one cache in Redis, which several processes share.
 *
 * Invariant: nothing here rejects. A Redis that fails or is silent knows no values for a second, so that it costs its
 * users at most one short wait in that time. A value says for how long it may be stale, and Redis knows for how long
 * it lives, so that the clocks of two machines are never compared.
 */
import type { Log } from "../../../runtime/log/log.ts";
import { LogPause } from "../../../runtime/log/log_pause.ts";
import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import type { HeldConnection } from "../../redis/shared_connection.ts";
import { DELETE, HOLD, SET, SETTLE } from "./redis_scripts.ts";
import type { CacheStore, Entry, Leases, TaggedEntry } from "./store.ts";

/** Options of {@linkcode RedisStore}. */
export interface RedisStoreOptions {
  readonly held: HeldConnection;
  readonly namespace: string;
  /** Milliseconds that Redis has to answer. */
  readonly timeout: number;
  readonly service: string;
  /** Name of the cache. */
  readonly name: string;
  readonly log: Log;
  /** Is called for each command that has failed. */
  readonly onFailure: () => void;
  /** Counts what is left of the life of a value, which Redis itself ends. @default {the clock of the machine} */
  readonly clock?: Clock;
}

/** Milliseconds for which Redis is not asked after it has failed. */
const REST = 1_000;

/** Milliseconds after which the lease of a lost process ends. */
const LEASE = 5_000;

/** Keys that one step of {@linkcode RedisStore.clear} looks at. */
const STEP = 1_000;

/** The values of one cache in Redis. */
export class RedisStore implements CacheStore, Leases {
  readonly size = undefined;
  readonly leases: Leases = this;
  readonly #held: HeldConnection;
  readonly #name: string;
  readonly #prefix: string;
  readonly #timeout: number;
  readonly #log: Log;
  readonly #onFailure: () => void;
  readonly #clock: Clock;
  readonly #holder: string = crypto.randomUUID();
  /** What lets the leases of this process live on, by key. */
  readonly #holding = new Map<string, ReturnType<typeof setInterval>>();
  readonly #pause = new LogPause();
  #restsUntil = -Infinity;

  constructor(
    { held, namespace, timeout, service, name, log, onFailure, clock = SYSTEM_CLOCK }: RedisStoreOptions,
  ) {
    this.#clock = clock;
    this.#held = held;
    this.#name = name;
    this.#prefix = `{${namespace}:${service}:${name}}:`;
    this.#timeout = timeout;
    this.#log = log;
    this.#onFailure = onFailure;
  }

  async get(key: string): Promise<Entry | undefined> {
    const name = `${this.#prefix}value:${key}`;
    const [value, left] = await Promise.all([this.#command(["GET", name]), this.#command(["PTTL", name])]);
    if (typeof value !== "string" || typeof left !== "number" || left <= 0) return undefined;
    const end = value.indexOf("\n");
    const staleFor = Number(value.slice(0, end));
    if (end === -1 || !(staleFor >= 0)) return undefined;
    const staleUntil = this.#clock.steady() + left;
    return { text: value.slice(end + 1), freshUntil: staleUntil - staleFor, staleUntil };
  }

  async set(key: string, entry: TaggedEntry): Promise<void> {
    this.#drop(key);
    const { value, life } = written(entry, this.#clock.steady());
    await this.#run(SET, key, value, life, ...entry.tags);
  }

  async delete(keys: readonly string[], tags: readonly string[]): Promise<readonly string[]> {
    for (const key of keys) this.#drop(key);
    const all = await this.#run(DELETE, String(keys.length), ...keys, ...tags);
    return Array.isArray(all) ? all.map(String) : keys;
  }

  /** Looks at all keys of the Redis, because it keeps no list of those of a cache. */
  async clear(): Promise<void> {
    const pattern = `${this.#prefix.replace(/[*?[\]\\]/g, "\\$&")}*`;
    let cursor = "0";
    do {
      const found = await this.#command(["SCAN", cursor, "MATCH", pattern, "COUNT", String(STEP)]);
      if (!Array.isArray(found)) return;
      const [next, names] = found as [unknown, unknown];
      if (Array.isArray(names) && names.length > 0) await this.#command(["UNLINK", ...names.map(String)]);
      cursor = String(next);
    } while (cursor !== "0");
  }

  async take(key: string): Promise<boolean> {
    const args = ["SET", `${this.#prefix}lease:${key}`, this.#holder, "NX", "PX", String(LEASE)] as const;
    const taken = await this.#command([...args]);
    // Without Redis, each process loads by itself.
    if (taken === FAILED) return true;
    if (taken !== "OK") return false;
    this.#drop(key);
    const hold = () => void this.#run(HOLD, key, this.#holder, String(LEASE));
    this.#holding.set(key, setInterval(hold, LEASE / 2));
    return true;
  }

  async settle(key: string, entry: TaggedEntry): Promise<boolean> {
    this.#drop(key);
    const { value, life } = written(entry, this.#clock.steady());
    return await this.#run(SETTLE, key, value, life, this.#holder, ...entry.tags) !== 0;
  }

  giveUp(key: string): void {
    if (this.#drop(key)) void this.#run(HOLD, key, this.#holder, "0");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of [...this.#holding.keys()]) this.giveUp(key);
    await this.#held[Symbol.asyncDispose]();
  }

  /** Lets a lease of this process end by itself. Returns whether there was one. */
  #drop(key: string): boolean {
    clearInterval(this.#holding.get(key));
    return this.#holding.delete(key);
  }

  #run(script: string, ...args: readonly string[]): Promise<unknown> {
    return this.#command(["EVAL", script, "1", this.#prefix, ...args]);
  }

  /** Sends a command. Gives {@linkcode FAILED} if Redis is not there. */
  async #command(args: [name: string, ...others: string[]]): Promise<unknown> {
    if (performance.now() < this.#restsUntil) return FAILED;
    try {
      return await this.#held.connection.command(args, { key: this.#prefix, timeout: this.#timeout });
    } catch (error) {
      this.#restsUntil = performance.now() + REST;
      this.#onFailure();
      if (this.#pause.tryBegin()) {
        this.#log.warning(
          `Cannot use the cache "${this.#name}": ${(error as Error).message}. ` +
            "Its values are loaded anew, and what is deleted may come back, until Redis answers",
        );
      }
      return FAILED;
    }
  }
}

/** Stands for the answer of a Redis that gives none. */
const FAILED = Symbol("failed");

function written(
  { text, freshUntil, staleUntil }: TaggedEntry,
  now: number,
): { readonly value: string; readonly life: string } {
  const life = Math.max(1, Math.round(staleUntil - now));
  return { value: `${Math.round(staleUntil - freshUntil)}\n${text}`, life: String(life) };
}
