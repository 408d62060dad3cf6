/**
 * A lock that is held.
 *
 * Invariant: while `signal` has not aborted, Redis has kept the lock for this holder, as far as the clocks of both go
 * equally fast. A lock is extended long before it expires. The time of expiry is counted from before each extension was
 * sent, so that this holder gives up no later than Redis does. It fails where the thread is held up: a thread that
 * computes without a pause learns late that it has lost the lock. That is what the fencing number is for.
 */
import { pause } from "../../runtime/waiting/abort.ts";
import type { RedisConnection } from "./connection.ts";
import { EXTEND, RELEASE } from "./lock_keys.ts";
import { LockLostError } from "./lock_error.ts";

/** A lock that is held until it is released, and released at the end of its block with `await using`. */
export interface HeldLock extends AsyncDisposable {
  /** Name of the lock. */
  readonly name: string;
  /**
   * A number that is greater for each later holder of the lock. A store that remembers the greatest one which it has
   * seen can refuse what a holder writes that has lost the lock without knowing it.
   */
  readonly fence: number;
  /** Aborts with a {@linkcode LockLostError} when the lock is lost. */
  readonly signal: AbortSignal;
  /** Releases the lock. Idempotent; never throws: what Redis does not hear of expires. */
  release(): Promise<void>;
}

/** What a lock is made of. */
export interface LockFacts {
  readonly name: string;
  readonly key: string;
  readonly token: string;
  readonly fence: number;
  /** Milliseconds that Redis keeps the lock without news of its holder. */
  readonly ttl: number;
  /** Time of `performance.now()` before the lock was asked for. */
  readonly since: number;
}

/** The share of its life after which a lock is extended. */
const EXTEND_AFTER = 1 / 3;

/** Milliseconds that the release of a lock may take. */
const RELEASE_LIMIT = 2_000;

export class ExtendedLock implements HeldLock {
  readonly #connection: RedisConnection;
  readonly #facts: LockFacts;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  readonly #extending: Promise<void>;
  #releasing: Promise<void> | undefined;

  constructor(connection: RedisConnection, facts: LockFacts) {
    this.#connection = connection;
    this.#facts = facts;
    this.#extending = this.#extend().catch(() => {});
  }

  get name(): string {
    return this.#facts.name;
  }

  get fence(): number {
    return this.#facts.fence;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether somebody has released it. */
  get isReleased(): boolean {
    return this.#releasing !== undefined;
  }

  release(): Promise<void> {
    return this.#releasing ??= this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<void> {
    this.#released.abort();
    await this.#extending;
    if (!this.#lost.signal.aborted) await releaseLock(this.#connection, this.#facts);
  }

  /** Extends the lock until it is released or lost. */
  async #extend(): Promise<void> {
    const { key, token, ttl } = this.#facts;
    const { signal } = this.#released;
    let until = this.#facts.since + ttl;
    while (!signal.aborted) {
      const left = until - performance.now();
      if (left <= 0) return this.#lose("Redis did not hear of its holder in time");
      await pause(Math.min(ttl * EXTEND_AFTER, left), signal);
      const since = performance.now();
      if (since >= until) continue;
      try {
        const args = ["EVAL", EXTEND, "1", key, token, String(ttl)] as const;
        const isHeld = await this.#connection.command(args, { key, timeout: until - since, signal });
        if (isHeld !== 1) return this.#lose("Redis does not have it any more");
        until = since + ttl;
      } catch {
        // Redis may be back before the lock expires.
        await pause(Math.min(ttl / 20, Math.max(0, until - performance.now())), signal);
      }
    }
  }

  #lose(reason: string): void {
    this.#lost.abort(new LockLostError(this.#facts.name, reason));
  }
}

/** Frees a lock if its token is still the given one. Never rejects. */
export async function releaseLock(
  connection: RedisConnection,
  { key, token }: Pick<LockFacts, "key" | "token">,
): Promise<void> {
  try {
    await connection.command(["EVAL", RELEASE, "1", key, token], { key, timeout: RELEASE_LIMIT });
  } catch {
    // It expires.
  }
}
