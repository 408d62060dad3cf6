/** A timer for the earliest of several times, in the time of `performance.now()`. */
export class WakeTimer {
  readonly #wake: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  /** @param wake Called when it is time, with nothing set any more. */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  /** Whether it is set. */
  get isSet(): boolean {
    return this.#at !== Infinity;
  }

  /** Wakes at `time` at the latest. */
  by(time: number): void {
    if (time >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = time;
    this.#timer = setTimeout(this.#fire, Math.max(1, time - performance.now()));
  }

  /** Wakes at `time` and not before; infinite for never. */
  reset(time: number): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
    this.by(time);
  }

  /** Wakes no more, whatever it is told. */
  close(): void {
    clearTimeout(this.#timer);
    this.#at = -Infinity;
  }

  readonly #fire = (): void => {
    this.#at = Infinity;
    this.#wake();
  };
}
