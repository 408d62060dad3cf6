import { ServiceLoadError } from "../../message/errors.ts";
import type { Log } from "../../log/log.ts";
import type { ThreadSpawner } from "../../spawning/spawner.ts";
import type { Wear } from "./wear.ts";

/** The shortest and the longest wait before another thread starts, in milliseconds. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;

/** Milliseconds after which a thread counts as one that does not end by itself. */
const STEADY = 60_000;

/** Options of {@linkcode Restarts}. */
export interface RestartsOptions {
  readonly spawner: Pick<ThreadSpawner, "notBefore">;
  /** Called with the time at which the next attempt is due. */
  readonly onRetryAt: (time: number) => void;
  readonly log: Log;
}

/**
 * Says when a pool may start another thread: the later, the more starts have failed one after the other, and the more
 * threads have ended by themselves, soon after their start and before any call.
 */
export class Restarts {
  readonly #options: RestartsOptions;
  #failed = 0;
  #unused = 0;
  #lastUnusedAt = -Infinity;
  #retryAt = Infinity;

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /** Starts that have failed, or that were of no use, since the last one that did not fail. */
  get failed(): number {
    return this.#failed;
  }

  /** Time of the next attempt; infinite if no start has failed. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** Whether the time of the next attempt has come. It is told once. */
  takeTurn(now: number): boolean {
    if (now < this.#retryAt) return false;
    this.#retryAt = Infinity;
    return true;
  }

  /** Notes that a thread has started. */
  succeed(): void {
    this.#failed = 0;
  }

  /** Notes that a start has failed. */
  fail(error: Error): void {
    const { spawner, log } = this.#options;
    const now = performance.now();
    const delay = Math.max(Math.ceil((spawner.notBefore ?? 0) - now), delayAfter(++this.#failed));
    // The author needs the stack of the module. Whatever else keeps a thread from starting, the message says it all.
    const isExpected = error instanceof ServiceLoadError && !error.isThrownByModule;
    log.error(
      `Cannot start another thread: ${error.message}. Trying again in ${delay} ms`,
      isExpected ? {} : { error },
    );
    this.#retryIn(delay, now);
  }

  /**
   * Notes that a thread is lost which has served. The first one that was of no use may be the only one. Those that are
   * lost together, as in one process, count as one.
   *
   * @param hadStarted Whether it was running a call.
   */
  lose(wear: Wear, hadStarted: boolean): void {
    const now = performance.now();
    const age = wear.age(now);
    if (hadStarted || wear.hasRun || age > STEADY) {
      this.#unused = 0;
      return;
    }
    if (now - age <= this.#lastUnusedAt) return;
    this.#lastUnusedAt = now;
    if (++this.#unused === 1) return;
    this.#failed++;
    const delay = delayAfter(this.#unused - 1);
    this.#options.log.warning(
      `Waiting ${delay} ms before the next thread: the last ${this.#unused} ended by themselves, before any call`,
    );
    this.#retryIn(delay, now);
  }

  #retryIn(delay: number, now: number): void {
    this.#retryAt = now + delay;
    this.#options.onRetryAt(this.#retryAt);
  }
}

function delayAfter(failures: number): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
}
