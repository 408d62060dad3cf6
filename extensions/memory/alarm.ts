/** Something with a deadline. */
export interface Ringable {
  /** Called once at or after the deadline. */
  ring(now: number): void;
}

/** The longest delay that a timer takes, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/**
 * Watches many deadlines with at most one timer, which never keeps the process alive.
 *
 * There is a timer only while there is a deadline and the alarm is not paused. Deadlines are on the clock of
 * `performance.now()`.
 */
export class Alarm {
  readonly #deadlines = new Map<Ringable, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;
  #paused = true;

  /** Sets the one deadline of `ringable`; `Infinity` takes it away. */
  set(ringable: Ringable, deadline: number): void {
    if (deadline === Infinity) {
      this.#deadlines.delete(ringable);
      if (this.#deadlines.size === 0) this.#disarm();
      return;
    }
    this.#deadlines.set(ringable, deadline);
    if (deadline < this.#due) this.#arm(deadline);
  }

  /** Stops the timer; what falls due meanwhile rings soon after {@linkcode Alarm.resume}. */
  pause(): void {
    this.#paused = true;
    this.#disarm();
  }

  resume(): void {
    this.#paused = false;
    this.#arm(this.#earliest());
  }

  #arm(deadline: number): void {
    this.#disarm();
    if (this.#paused || deadline === Infinity) return;
    this.#due = deadline;
    const delay = Math.min(Math.max(0, Math.ceil(deadline - performance.now())), LONGEST);
    this.#timer = setTimeout(() => this.#fire(), delay);
    Deno.unrefTimer(this.#timer);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = Infinity;
  }

  #fire(): void {
    this.#disarm();
    const now = performance.now();
    const due = [...this.#deadlines].filter(([, deadline]) => deadline <= now);
    for (const [ringable] of due) {
      this.#deadlines.delete(ringable);
      ringable.ring(now);
    }
    this.#arm(this.#earliest());
  }

  #earliest(): number {
    let earliest = Infinity;
    for (const deadline of this.#deadlines.values()) earliest = Math.min(earliest, deadline);
    return earliest;
  }
}
