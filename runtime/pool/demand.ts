import { ServiceTimes } from "./service_times.ts";
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
