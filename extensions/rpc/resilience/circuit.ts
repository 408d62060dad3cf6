/**
 * A circuit: it lets calls through until the service fails, and then fails calls at once for a while.
 *
 * Invariant: while it is half-open, at most `halfOpen` calls are let through whose end does not speak for or against
 * the service yet, or has spoken for it. A call that ends without a word, because its caller has given it up, makes
 * room for another one. The end of a call that began in an earlier state changes nothing: it tells of the past.
 *
 * No timer runs: an open circuit becomes half-open with the first call after its time.
 */

import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

/** The states of a circuit. */
export type CircuitState = "closed" | "half-open" | "open";

/** What the end of a call says about the service; undefined if nothing. */
export type CallVerdict = "succeeded" | "failed" | undefined;

/** The numbers of a circuit. Either `failures` or `ratio` is there. */
export interface CircuitNumbers {
  readonly failures?: number;
  readonly ratio?: number;
  readonly minimum?: number;
  readonly open: number;
  readonly halfOpen: number;
}

/** A circuit. All times are steady times of its clock. */
export class Circuit {
  readonly #numbers: CircuitNumbers;
  readonly #onChange: (state: CircuitState) => void;
  readonly #clock: Clock;
  /** Whether each of the latest calls has failed: a ring, whose oldest place is the next one to be overwritten. */
  #latest: boolean[] = [];
  #next = 0;
  #failed = 0;
  #state: CircuitState = "closed";
  #opensAt = 0;
  /** Grows with each change of the state. */
  #generation = 0;
  #probes = 0;
  #succeeded = 0;

  /** @param onChange Called once for each change of the state. */
  constructor(
    numbers: CircuitNumbers,
    onChange: (state: CircuitState) => void,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#clock = clock;
    this.#numbers = numbers;
    this.#onChange = onChange;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Returns the milliseconds for which calls fail at once; undefined if a call would be let through. */
  closedFor(now: number = this.#clock.steady()): number | undefined {
    if (this.#state === "closed") return undefined;
    if (this.#state === "open") return now >= this.#opensAt ? undefined : this.#opensAt - now;
    return this.#probes < this.#numbers.halfOpen ? undefined : 0;
  }

  /**
   * Lets a call through, if {@linkcode Circuit.closedFor} is undefined.
   *
   * @returns Takes what the end of the call says. It must be called once.
   */
  admit(): (verdict: CallVerdict) => void {
    if (this.#state === "open") this.#become("half-open");
    const generation = this.#generation;
    if (this.#state === "half-open") this.#probes++;
    return (verdict) => {
      if (generation !== this.#generation) return;
      if (this.#state === "half-open") this.#judgeProbe(verdict);
      else if (verdict !== undefined) this.#record(verdict === "failed");
    };
  }

  #judgeProbe(verdict: CallVerdict): void {
    if (verdict === "failed") this.#open();
    else if (verdict === undefined) this.#probes--;
    else if (++this.#succeeded >= this.#numbers.halfOpen) this.#become("closed");
  }

  #record(failed: boolean): void {
    // A number of failures in a row is that number of latest calls, all of which have failed.
    const { failures, ratio = 1, minimum = failures! } = this.#numbers;
    if (this.#latest[this.#next]) this.#failed--;
    if (failed) this.#failed++;
    this.#latest[this.#next] = failed;
    this.#next = (this.#next + 1) % minimum;
    if (this.#latest.length === minimum && this.#failed >= ratio * minimum) this.#open();
  }

  #open(): void {
    this.#opensAt = this.#clock.steady() + this.#numbers.open;
    this.#become("open");
  }

  #become(state: CircuitState): void {
    this.#state = state;
    this.#generation++;
    this.#latest = [];
    this.#next =
      this.#failed =
      this.#probes =
      this.#succeeded =
        0;
    this.#onChange(state);
  }
}
