/** How often a side goes to sleep at once, at most, before it tries again whether looking pays. */
const MOST_SLEEPS = 63;

/**
 * Decides whether a side of a channel looks for a message once more, or goes to sleep until it is woken.
 *
 * A look costs less than a wake-up, but it pays only if the other side has a core to run on in the meantime. On a
 * machine whose cores are all busy, each look takes the time that the other side needs. So a side that looked in vain
 * goes to sleep at once the next time, then the next 3 times, 7 times and so on, until a look has found something.
 */
export class Vigil {
  #isKept = false;
  #sleeps = 0;
  #sleepsAfterFailure = 1;

  /** Tells that a message has come. */
  found(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#sleepsAfterFailure = 1;
  }

  /**
   * Returns whether to look once more.
   *
   * @param isWorthwhile Whether the last message came so lately that the next one may come soon.
   */
  goesOn(isWorthwhile: boolean): boolean {
    if (this.#isKept && !isWorthwhile) {
      this.#isKept = false;
      this.#sleeps = this.#sleepsAfterFailure;
      this.#sleepsAfterFailure = Math.min(MOST_SLEEPS, 2 * this.#sleepsAfterFailure + 1);
    } else if (!this.#isKept && isWorthwhile) {
      if (this.#sleeps === 0) this.#isKept = true;
      else this.#sleeps--;
    }
    return this.#isKept;
  }
}
