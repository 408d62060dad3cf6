import type { SealedMessage } from "./sealed_message.ts";

/** A message in a queue. */
export interface QueuedMessage {
  readonly message: SealedMessage;
  /** Grows with each message that the queue accepts. */
  readonly position: number;
  /** On the clock of `performance.now()`; `Infinity` where it never expires. */
  readonly expiresAt: number;
  redelivered: boolean;
}

/** Messages that wait, by position: a ring buffer that takes messages back at their old place. */
export class Backlog {
  #ring: (QueuedMessage | undefined)[] = new Array(16);
  #start = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The next to be taken. */
  get head(): QueuedMessage | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#start];
  }

  /** Adds a message newer than all. */
  push(entry: QueuedMessage): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#start + this.#size) & (this.#ring.length - 1)] = entry;
    this.#size++;
  }

  /** Takes the oldest. */
  shift(): QueuedMessage | undefined {
    if (this.#size === 0) return undefined;
    const entry = this.#ring[this.#start];
    this.#ring[this.#start] = undefined;
    this.#start = (this.#start + 1) & (this.#ring.length - 1);
    this.#size--;
    return entry;
  }

  /** Puts a message back between those older and those newer than it. */
  restore(entry: QueuedMessage): void {
    if (this.#size === this.#ring.length) this.#grow();
    const mask = this.#ring.length - 1;
    this.#start = (this.#start - 1) & mask;
    this.#size++;
    // What was taken is nearly always older than what waits, so this loop nearly always ends at once
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
