/** Milliseconds between two lines of the log about the same thing. */
const LENGTH = 60_000;

/**
 * Lets one line of the log about the same thing through in a minute, so that what goes wrong again and again does not
 * fill the log.
 */
export class LogPause {
  #until: number;

  /** @param until Time before which no line is let through, as `performance.now()` gives it. @default {the past} */
  constructor(until = -Infinity) {
    this.#until = until;
  }

  /** Milliseconds until a line is let through; 0 or less if it is let through now. */
  left(now: number = performance.now()): number {
    return this.#until - now;
  }

  /** Begins the pause anew, after a line. */
  begin(now: number = performance.now()): void {
    this.#until = now + LENGTH;
  }

  /** Says whether to write a line now. If so, the pause begins. */
  tryBegin(now: number = performance.now()): boolean {
    if (this.left(now) > 0) return false;
    this.begin(now);
    return true;
  }
}
