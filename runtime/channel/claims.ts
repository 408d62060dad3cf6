/**
 * Who runs a call: one shared cell per slot of a thread's mailbox.
 *
 * Invariant: a call that main offered to a thread is either started by the thread or taken back by main, never
 * both. It holds because both sides change the cell from QUEUED with one atomic compare-and-exchange, and only
 * one of them can win; so main can take calls back even from a thread that spins and reads no messages. It
 * fails if a slot is offered again while the thread still has a message of its last call, which is why
 * {@linkcode PooledThread} reuses a slot only when the thread has posted the call's outcome, or that it skipped it.
 */

/** How many calls a thread can hold, the running ones included. */
export const SLOTS = 64;

const FREE = 0;
const QUEUED = 1;
const STARTED = 2;

/** After the slots: whether the thread has loaded its module. */
const LOADED = SLOTS;

/** The cells of one thread, seen from either side. */
export class Claims {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer((SLOTS + 1) * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** Main: the call in `slot` may be started. */
  offer(slot: number): void {
    Atomics.store(this.#cells, slot, QUEUED);
  }

  /** Thread: claims the call; false if main took it back. */
  start(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, slot, QUEUED, STARTED) === QUEUED;
  }

  /** Main: takes the call back; false if the thread has started it. */
  takeBack(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, slot, QUEUED, FREE) === QUEUED;
  }

  /** Thread: its module has been loaded, or has failed to. */
  markLoaded(): void {
    Atomics.store(this.#cells, LOADED, 1);
  }

  /** Main: whether the thread is done with loading its module. */
  get loaded(): boolean {
    return Atomics.load(this.#cells, LOADED) === 1;
  }
}
