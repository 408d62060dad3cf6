/** The numbers of a bulkhead. */
export interface BulkheadNumbers {
  readonly concurrent: number;
  readonly waiting: number;
}

/**
 * Limits how many calls are under way, and how many wait for their turn, first come first served.
 *
 * Invariant: a place that becomes free is handed to the first one that waits, in the same turn of the event loop. So
 * `#running` never exceeds `concurrent`, and nobody who comes later overtakes.
 */
export class Bulkhead {
  readonly numbers: BulkheadNumbers;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(numbers: BulkheadNumbers) {
    this.numbers = numbers;
  }

  /**
   * Waits for a place. Whoever gets one has to give it back by {@linkcode Bulkhead.leave}.
   *
   * @returns False, at once, if too many wait already.
   * @throws The reason of `signal`, if it aborts before there is a place.
   */
  async enter(signal: AbortSignal): Promise<boolean> {
    const { concurrent, waiting } = this.numbers;
    signal.throwIfAborted();
    if (this.#running < concurrent) {
      this.#running++;
      return true;
    }
    if (this.#waiting.length >= waiting) return false;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const giveUp = () => {
      const place = this.#waiting.indexOf(resolve);
      if (place === -1) return;
      this.#waiting.splice(place, 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await promise;
      return true;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Gives a place back. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
