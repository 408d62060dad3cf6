import { type Clock, SYSTEM_CLOCK } from "./clock.ts";

/** The numbers of a rate. */
export interface RateNumbers {
  /** How often something may happen in a second, on average. */
  readonly perSecond: number;
  /** How often it may happen at once after a pause. @default {the rate per second, at least 1} */
  readonly burst?: number;
}

/**
 * Limits how often something happens: each time takes a token, and tokens come back at a steady rate.
 *
 * No timer runs. The tokens that have come back are counted when somebody asks. All times are steady times of its
 * clock.
 */
export class TokenBucket {
  readonly #perMillisecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #countedAt = -Infinity;

  constructor(
    { perSecond, burst = Math.max(1, perSecond) }: RateNumbers,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#clock = clock;
    this.#perMillisecond = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes a token, or returns false if there is none. */
  take(now: number = this.#clock.steady()): boolean {
    if (this.#count(now) < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Returns the milliseconds until there is a token; 0 if there is one. */
  wait(now: number = this.#clock.steady()): number {
    return Math.max(0, (1 - this.#count(now)) / this.#perMillisecond);
  }

  #count(now: number): number {
    if (now > this.#countedAt) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#countedAt) * this.#perMillisecond);
      this.#countedAt = now;
    }
    return this.#tokens;
  }
}
