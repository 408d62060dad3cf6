/**
 * Runs receivers later, in order, on a stack of their own.
 *
 * The invariant: a receiver never runs inside a call of the transport. What arrives is kept and handed out in a
 * microtask, which costs next to nothing. Microtasks alone would let receivers that answer each other, or one
 * that requeues for ever, hold the event loop for good, so every {@linkcode BURST} hand-outs the next waits for
 * a turn of the loop.
 */

/** How many deliveries may be handed out before timers and sockets get their turn. */
const BURST = 1024;

/** Keeps arrivals until they can be handed to their takers. */
export class Handoff<Arrival> {
  readonly #hand: (arrival: Arrival) => void;
  #waiting: Arrival[] = [];
  #next = 0;
  #burst = 0;
  #scheduled = false;
  #immediate: ReturnType<typeof setImmediate> | undefined;

  /** @param hand Must not throw */
  constructor(hand: (arrival: Arrival) => void) {
    this.#hand = hand;
  }

  add(arrival: Arrival): void {
    this.#waiting.push(arrival);
    if (!this.#scheduled) this.#schedule();
  }

  /** Drops what waits. */
  clear(): void {
    this.#waiting = [];
    this.#next = 0;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#scheduled = false;
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    for (; this.#next < this.#waiting.length; this.#next++) {
      if (++this.#burst > BURST) return this.#schedule();
      this.#hand(this.#waiting[this.#next] as Arrival);
    }
    this.#waiting = [];
    this.#next = 0;
  };

  #schedule(): void {
    this.#scheduled = true;
    if (this.#burst <= BURST) return queueMicrotask(this.#flush);
    this.#burst = 0;
    this.#immediate = setImmediate(this.#flush);
  }
}
