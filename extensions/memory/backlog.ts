import type { SealedMessage } from "./sealed_message.ts";

/** A queue keeps this about each of its messages. */
export interface QueuedMessage {
  readonly message: SealedMessage;
  /** A queue gives each message that it accepts a larger position. */
  readonly position: number;
  /** Number of the record. Only the records of a stream have one. */
  readonly offset?: number;
  /** This is a steady time of the broker's clock, or `Infinity` if the message never expires. */
  readonly expiresAt: number;
  /** How often a consumer that had seen the message has given it back. */
  returns: number;
}

/**
 * A backlog holds waiting messages in the order of their positions.
 *
 * It is a ring buffer that can also take a message back at its old place.
 */
export class Backlog {
  #ring: (QueuedMessage | undefined)[] = new Array(16);
  #start = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns the message that {@linkcode Backlog.shift} would take. */
  get head(): QueuedMessage | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#start];
  }

  /** Adds a message that is newer than all others. */
  push(entry: QueuedMessage): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#start + this.#size) & (this.#ring.length - 1)] = entry;
    this.#size++;
  }

  /** Takes the oldest message out. */
  shift(): QueuedMessage | undefined {
    if (this.#size === 0) return undefined;
    const entry = this.#ring[this.#start];
    this.#ring[this.#start] = undefined;
    this.#start = (this.#start + 1) & (this.#ring.length - 1);
    this.#size--;
    return entry;
  }

  /** Puts a message back between the older and the newer messages. */
  restore(entry: QueuedMessage): void {
    if (this.#size === this.#ring.length) this.#grow();
    const mask = this.#ring.length - 1;
    this.#start = (this.#start - 1) & mask;
    this.#size++;
    // A message that comes back is nearly always older than all others, so this loop nearly always ends at once
    let at = this.#start;
    for (let passed = 1; passed < this.#size; passed++) {
      const next = (at + 1) & mask;
      const older = this.#ring[next];
      if (older === undefined || older.position > entry.position) break;
      this.#ring[at] = older;
      at = next;
    }
    this.#ring[at] = entry;
  }

  #grow(): void {
    const { length } = this.#ring;
    const ring: (QueuedMessage | undefined)[] = new Array(2 * length);
    for (let index = 0; index < this.#size; index++) {
      ring[index] = this.#ring[(this.#start + index) & (length - 1)];
    }
    this.#ring = ring;
    this.#start = 0;
  }
}
