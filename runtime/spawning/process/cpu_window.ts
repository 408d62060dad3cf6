/** Milliseconds over which the use of the processor is averaged. */
export const CPU_WINDOW = 10_000;

/** A look at the processor time of a process, both in milliseconds. */
interface Look {
  readonly at: number;
  readonly used: number;
}

/**
 * Judges how many cores a process uses on average over {@linkcode CPU_WINDOW}, from looks at its processor time.
 *
 * The time before the start counts as time in which the process has used nothing. So one that is busy from its start on
 * exceeds the limit as soon as it has used what it may use in a whole window.
 */
export class CpuWindow {
  readonly #limit: number;
  /** The first of these looks is the latest one that is as old as the window or older. */
  readonly #looks: Look[];

  /**
   * @param limit Cores that the process may use.
   * @param start Time at which the process had used nothing.
   */
  constructor(limit: number, start: number) {
    this.#limit = limit;
    this.#looks = [{ at: start, used: 0 }];
  }

  /** Takes a look, and says whether the process has used more than it may. */
  isExceeded(at: number, seen: number): boolean {
    // The time of a child is missed for one look if the child ends while the process is being looked at.
    const used = Math.max(seen, this.#looks.at(-1)!.used);
    this.#looks.push({ at, used });
    while (this.#looks[1]!.at <= at - CPU_WINDOW) this.#looks.shift();
    const first = this.#looks[0]!;
    // A look may come late, and then the looks are about more time than the window.
    return used - first.used > this.#limit * Math.max(CPU_WINDOW, at - first.at);
  }
}
