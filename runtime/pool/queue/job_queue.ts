import type { Job } from "../job.ts";

/**
 * The calls that wait for a thread: those of the highest priority first, and of these, the first that came.
 *
 * A call that comes goes to the end at once unless the last one has a lower priority, so that a service without
 * priorities has a plain queue.
 */
export class JobQueue {
  readonly #jobs: Job[] = [];

  get length(): number {
    return this.#jobs.length;
  }

  /** The call that gets the next thread. */
  get first(): Job | undefined {
    return this.#jobs[0];
  }

  /** The call that has waited longest. */
  get oldest(): Job | undefined {
    const first = this.#jobs[0];
    if (first === undefined || priorityOf(first) === priorityOf(this.#jobs.at(-1)!)) return first;
    return this.#jobs.reduce((oldest, job) => job.queuedAt < oldest.queuedAt ? job : oldest);
  }

  /** Adds a call behind all others of its priority. */
  add(job: Job): void {
    const priority = priorityOf(job);
    let place = this.#jobs.length;
    while (place > 0 && priorityOf(this.#jobs[place - 1]!) < priority) place--;
    if (place === this.#jobs.length) this.#jobs.push(job);
    else this.#jobs.splice(place, 0, job);
  }

  /** Adds calls that come back in front of all others of their priority, in the order in which they are given. */
  putBack(jobs: readonly Job[]): void {
    for (const job of jobs.toReversed()) {
      const priority = priorityOf(job);
      let place = 0;
      while (place < this.#jobs.length && priorityOf(this.#jobs[place]!) > priority) place++;
      if (place === 0) this.#jobs.unshift(job);
      else this.#jobs.splice(place, 0, job);
    }
  }

  /** Takes the first call out. */
  shift(): void {
    this.#jobs.shift();
  }

  /** Takes a call out. Returns false if it does not wait here. */
  remove(job: Job): boolean {
    const place = this.#jobs.indexOf(job);
    if (place === -1) return false;
    this.#jobs.splice(place, 1);
    return true;
  }

  /** Takes all calls out, in their order. */
  takeAll(): Job[] {
    return this.#jobs.splice(0);
  }
}

function priorityOf({ invocation: { priority = 0 } }: Job): number {
  return priority;
}
