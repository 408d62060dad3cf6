/**
 * A handoff runs receivers later, in order, on a stack of their own.
 *
 * The invariant is that a receiver never runs inside a call of the transport. The handoff keeps each arrival and
 * hands it out in a microtask, which costs nearly nothing. With microtasks alone, receivers that answer each other,
 * or one that requeues for ever, would hold the event loop for good. So after every {@linkcode BURST} arrivals the
 * handoff waits for a turn of the loop.
 */

/** The handoff hands out this many arrivals before timers and sockets get their turn. */
const BURST = 1024;

/** A handoff keeps arrivals until it can hand them to their takers. */
export class Handoff<Arrival> {
  readonly #hand: (arrival: Arrival) => void;
  #waiting: Arrival[] = [];
  #next = 0;
  #burst = 0;
  #scheduled = false;
  #immediate: ReturnType<typeof setImmediate> | undefined;

  /** @param hand The handoff calls this for each arrival, and it must not throw. */
  constructor(hand: (arrival: Arrival) => void) {
    this.#hand = hand;
  }

  add(arrival: Arrival): void {
    this.#waiting.push(arrival);
    if (!this.#scheduled) this.#schedule();
  }

  /** Drops all arrivals that wait. */
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
