/** Number of taken places after which the list is shortened. */
const LONG = 1_024;

/** The numbered messages that have come through a port and wait for their turn, in order. */
export class Arrivals<Message> {
  readonly #waiting: ((readonly [number: number, message: Message]) | undefined)[] = [];
  #taken = 0;

  /** Number of the first message, or undefined if there is none. */
  get nextNumber(): number | undefined {
    return this.#waiting[this.#taken]?.[0];
  }

  add(arrival: readonly [number: number, message: Message]): void {
    this.#waiting.push(arrival);
  }

  /** Takes the first message. There must be one. */
  take(): Message {
    const [, message] = this.#waiting[this.#taken]!;
    this.#waiting[this.#taken++] = undefined;
    // To remove one item from the front of a long list takes as long as the list is.
    if (
      this.#taken === this.#waiting.length || (this.#taken >= LONG && 2 * this.#taken > this.#waiting.length)
    ) {
      this.#waiting.splice(0, this.#taken);
      this.#taken = 0;
    }
    return message;
  }
}
