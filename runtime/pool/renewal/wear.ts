import { isElapsed } from "../../channel/message_form.ts";
import type { ThreadRenewal } from "../../telemetry/measuring/thread_renewal.ts";

/** How much a thread is used before another one takes its place. The configuration can set each limit. */
export interface RenewalLimits {
  /** Number of calls. @default {any number} */
  readonly maxCalls?: number;
  /** Milliseconds for which the thread serves. @default {any time} */
  readonly maxAge?: number;
  /** Mebibytes of JavaScript heap, below the heap limit at which the thread is ended. @default {the heap limit} */
  readonly softHeapLimit?: number;
}

/** @throws {RangeError} If a limit is no positive number. */
export function checkRenewalLimits({ maxCalls, maxAge, softHeapLimit }: RenewalLimits): void {
  for (const [name, value = Infinity] of Object.entries({ maxCalls, maxAge, softHeapLimit })) {
    if (!(value > 0)) throw new RangeError(`Cannot make a pool: ${name} must be more than 0, got ${value}`);
  }
}

/**
 * Largest part of `maxCalls` and `maxAge` that a thread does not use. Each thread draws its own part, so that threads
 * which began together are not worn together.
 */
const SPREAD = 0.1;

const MEBIBYTE = 1_048_576;

/** How much one thread has been used, and whether that is as much as it may be. */
export class Wear {
  #bornAt = performance.now();
  #calls = 0;
  #maxCalls = Infinity;
  #maxAge = Infinity;
  #heap = 0;
  #leastHeap = Infinity;
  #onWorn: (() => void) | undefined;

  /**
   * Begins to watch the thread, which serves from now on.
   *
   * @param onWorn Called when the thread has run its calls, or its heap is above the limit. Nobody is called for age.
   */
  begin(
    { maxCalls = Infinity, maxAge = Infinity, softHeapLimit = Infinity }: RenewalLimits,
    onWorn: () => void,
  ): void {
    const share = 1 - SPREAD * Math.random();
    this.#bornAt = performance.now();
    this.#maxCalls = Math.ceil(maxCalls * share);
    this.#maxAge = maxAge * share;
    this.#leastHeap = softHeapLimit * MEBIBYTE;
    this.#onWorn = onWorn;
  }

  /** Time at which the thread is too old, as `performance.now()` gives it; infinite if it never is. */
  get oldAt(): number {
    return this.#bornAt + this.#maxAge;
  }

  /** Milliseconds for which the thread has served. */
  age(now: number): number {
    return now - this.#bornAt;
  }

  /** Whether the thread has run a call to its end. */
  get hasRun(): boolean {
    return this.#calls > 0;
  }

  /** Notes that the thread has run a call to its end. */
  countCall(): void {
    if (++this.#calls === this.#maxCalls) this.#onWorn?.();
  }

  /** Takes the bytes of a heap above its limit. Returns false, without an effect, if no honest thread says so. */
  takeHeap(used: number): boolean {
    if (!isElapsed(used) || used < this.#leastHeap) return false;
    this.#heap = used;
    this.#onWorn?.();
    return true;
  }

  /** Says why the thread is to be renewed; undefined if it is not. */
  reason(now: number): ThreadRenewal | undefined {
    if (this.#heap > 0) return "memory";
    if (this.#calls >= this.#maxCalls) return "calls";
    return now >= this.oldAt ? "age" : undefined;
  }

  /** Says in words how much the thread has been used, for a reason. */
  describe(reason: ThreadRenewal, now: number): string {
    switch (reason) {
      case "calls":
        return `it has run ${this.#calls} ${this.#calls === 1 ? "call" : "calls"} (max_calls)`;
      case "age":
        return `it has served for ${(this.age(now) / 1_000).toFixed(1)} s (max_age)`;
      case "memory":
        return `it uses ${Math.round(this.#heap / MEBIBYTE)} MiB of heap (soft_heap_limit)`;
    }
  }
}
