import { SHORT_CALL } from "./pooled_thread.ts";

/** Deliveries held per slot while calls are short: enough to cover the way to the broker and back. */
const SHORT_CALL_PREFETCH = 20;

/** How many calls a pool can make use of at once: it follows how long they take. */
export class Demand {
  readonly #slots: number;
  readonly #onChange: ((demand: number) => void) | undefined;
  #times = new ServiceTimes();
  #short = false;

  /**
   * @param slots Calls that can run at once.
   * @param onChange Told the new value.
   */
  constructor(slots: number, onChange?: (demand: number) => void) {
    this.#slots = slots;
    this.#onChange = onChange;
  }

  get value(): number {
    return this.#short ? this.#slots * SHORT_CALL_PREFETCH : this.#slots;
  }

  /** Milliseconds that calls take on average; infinite until there is one. */
  get mean(): number {
    return this.#times.mean;
  }

  /** Milliseconds that a call is expected to take; infinite for an entrypoint that has not been called. */
  expected(entrypoint: number): number {
    return this.#times.expected(entrypoint);
  }

  /** Takes a measurement. */
  record(entrypoint: number, elapsed: number): void {
    this.#times.record(entrypoint, elapsed);
    const { mean } = this.#times;
    this.#become(mean < SHORT_CALL || (this.#short && mean <= 3 * SHORT_CALL));
  }

  /** Calls wait longer than any measurement would explain. */
  surprise(): void {
    this.#times.surprise(3 * SHORT_CALL);
    this.#become(false);
  }

  /** Goes on with what another one has learned. */
  inherit(former: Demand): void {
    this.#times = former.#times;
    this.#become(former.#short);
  }

  #become(short: boolean): void {
    if (short === this.#short) return;
    this.#short = short;
    this.#onChange?.(this.value);
  }
}

/**
 * Weights of the newest measurement in a moving geometric mean. It is geometric so that one call that was held
 * up (by the garbage collector, by other processes) does not make all of them look long; and a shorter time
 * weighs more, because first calls are slow while their code is cold.
 */
const WEIGHT_UP = 0.1;
const WEIGHT_DOWN = 0.5;

/** Milliseconds below which differences mean nothing. */
const LEAST = 0.001;

/** How long calls take, as moving means in milliseconds: of each entrypoint, and of all. */
export class ServiceTimes {
  readonly #byEntrypoint: number[] = [];
  #mean = Infinity;

  /** The mean over all calls; infinite until there is one. */
  get mean(): number {
    return this.#mean;
  }

  /** What a call is expected to take; infinite for an entrypoint that has not been called. */
  expected(entrypoint: number): number {
    return this.#byEntrypoint[entrypoint] ?? Infinity;
  }

  /** Takes a measurement. */
  record(entrypoint: number, elapsed: number): void {
    const latest = Math.max(elapsed, LEAST);
    this.#byEntrypoint[entrypoint] = moved(this.#byEntrypoint[entrypoint] ?? Infinity, latest);
    this.#mean = moved(this.#mean, latest);
  }

  /** Raises the mean at once, where calls wait too long to wait for measurements. */
  surprise(elapsed: number): void {
    this.#mean = Math.max(this.#mean, elapsed);
  }
}

function moved(former: number, latest: number): number {
  if (former === Infinity) return latest;
  return former * (latest / former) ** (latest < former ? WEIGHT_DOWN : WEIGHT_UP);
}
