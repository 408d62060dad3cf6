/**
 * Decides who runs a call, by one shared cell for each slot of a thread's mailbox.
 *
 * Invariant: after the main thread has offered a call to a thread, either the thread starts the call or the
 * main thread takes it back, never both. The invariant holds because both sides change the cell from QUEUED
 * with one atomic compare-and-exchange, and only one of them can win. So the main thread can take calls back
 * even from a thread that spins and reads no messages. The invariant fails if the main thread offers a slot
 * again while the thread still has a message of the slot's last call. So {@linkcode PooledThread} reuses a
 * slot only when the thread has posted the outcome of the call, or has posted that it skipped the call.
 */

/** How many calls a thread can hold. Running calls count, too. */
export const SLOTS = 64;

const FREE = 0;
const QUEUED = 1;
const STARTED = 2;

/** Index of the cell after the slots. That cell tells whether the thread has loaded its module. */
const LOADED = SLOTS;

/** The cells of one thread. Both sides use this class. */
export class Claims {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer((SLOTS + 1) * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** Main thread: lets the thread start the call in `slot`. */
  offer(slot: number): void {
    Atomics.store(this.#cells, slot, QUEUED);
  }

  /** Thread: claims the call. Returns false if the main thread took the call back. */
  start(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, slot, QUEUED, STARTED) === QUEUED;
  }

  /** Main thread: takes the call back. Returns false if the thread has started the call. */
  takeBack(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, slot, QUEUED, FREE) === QUEUED;
  }

  /** Thread: marks that its module has loaded or has failed to load. */
  markLoaded(): void {
    Atomics.store(this.#cells, LOADED, 1);
  }

  /** Main thread: whether the thread has finished the loading of its module, with or without success. */
  get loaded(): boolean {
    return Atomics.load(this.#cells, LOADED) === 1;
  }
}
