import { SHORT_CALL } from "./job.ts";

/** Deliveries that a consumer holds per slot while calls are short: enough for a round trip to the broker. */
const SHORT_CALL_PREFETCH = 20;

/** Calls after which the code of a service has become about as fast as it gets. */
const WARM_CALLS = 50;

/** Computes how many calls a pool can use at once, from how long its calls take. */
export class Demand {
  readonly #slots: number;
  readonly #onChange: ((demand: number) => void) | undefined;
  #times = new ServiceTimes();
  #short = false;
  #measured = 0;

  /**
   * @param slots Number of calls that can run at once.
   * @param onChange Called with the new value when it changes.
   */
  constructor(slots: number, onChange?: (demand: number) => void) {
    this.#slots = slots;
    this.#onChange = onChange;
  }

  get value(): number {
    return this.#short ? this.#slots * SHORT_CALL_PREFETCH : this.#slots;
  }

  /** Milliseconds that calls take on average; infinite until a call has been measured. */
  get mean(): number {
    return this.#times.mean;
  }

  /** Whether so few calls have been measured that their times tell more of cold code than of the calls. */
  get isCold(): boolean {
    return this.#measured < WARM_CALLS;
  }

  /** Returns the expected milliseconds of a call; infinite before the first call of its entrypoint. */
  expected(entrypoint: number): number {
    return this.#times.expected(entrypoint);
  }

  /** Records that a call took `elapsed` milliseconds. */
  record(entrypoint: number, elapsed: number): void {
    this.#measured++;
    this.#times.record(entrypoint, elapsed);
    const { mean } = this.#times;
    this.#become(mean < SHORT_CALL || (this.#short && mean <= 3 * SHORT_CALL));
  }

  /** Stops treating calls as short, because they wait longer than the measurements explain. */
  surprise(): void {
    this.#times.surprise(3 * SHORT_CALL);
    this.#become(false);
  }

  /** Continues with the measurements of another demand. */
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
 * Weights of the newest measurement in a moving geometric mean.
 *
 * The mean is geometric, so that one delayed call does not make all calls look long (the garbage collector or
 * another process may delay a call). A shorter time weighs more, because the first calls are slow while their
 * code is cold.
 */
const WEIGHT_UP = 0.1;
const WEIGHT_DOWN = 0.5;

/** Milliseconds below which the difference between two durations means nothing. */
const LEAST = 0.001;

/** Durations of calls as moving means in milliseconds: one for each entrypoint, and one for all calls. */
export class ServiceTimes {
  readonly #byEntrypoint: number[] = [];
  #mean = Infinity;

  /** The mean of all calls; infinite until a call has been measured. */
  get mean(): number {
    return this.#mean;
  }

  /** Returns how long a call is expected to take; infinite before the first call of its entrypoint. */
  expected(entrypoint: number): number {
    return this.#byEntrypoint[entrypoint] ?? Infinity;
  }

  /** Records how long a call took. */
  record(entrypoint: number, elapsed: number): void {
    const latest = Math.max(elapsed, LEAST);
    this.#byEntrypoint[entrypoint] = moved(this.#byEntrypoint[entrypoint] ?? Infinity, latest);
    this.#mean = moved(this.#mean, latest);
  }

  /** Raises the mean to `elapsed` at once, for calls that wait too long for new measurements. */
  surprise(elapsed: number): void {
    this.#mean = Math.max(this.#mean, elapsed);
  }
}

function moved(former: number, latest: number): number {
  if (former === Infinity) return latest;
  return former * (latest / former) ** (latest < former ? WEIGHT_DOWN : WEIGHT_UP);
}
