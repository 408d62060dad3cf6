import type { Counter } from "../metric.ts";

/** Remembers what counters had when they were last read, for those who are told of growth. */
export class CounterDeltas {
  readonly #former = new WeakMap<Counter, number>();

  /** Returns how much a counter has grown since the last time; all of it, the first time. */
  of(counter: Counter): number {
    const delta = counter.value - (this.#former.get(counter) ?? 0);
    this.#former.set(counter, counter.value);
    return delta;
  }
}
