/**
 * The lasting answers of a process, and how long each of them may go on.
 *
 * An asker that still listens asks the same question again and again. So an answer whose asker has died ends by itself,
 * and an asker whose process has lost its connection gets the rest once it is back.
 */

/** How often a lasting question is asked again, in milliseconds. */
export const RENEWAL = 5_000;

/** Milliseconds after which an answer ends that nobody has asked for again: three renewals may be lost. */
export const LEASE_TIME = 4 * RENEWAL;

/** Lasting answers at a time. */
export const MOST_LASTING = 16;

/** Questions that are over and still known, so that a late renewal does not begin them again. */
const MOST_PAST = 256;

/** One lasting answer. Disposing it ends the lease. */
export interface Lease extends Disposable {
  /** Aborts when nobody has asked again in time, and when the lease ends. */
  readonly signal: AbortSignal;
  /** The number of the first answer. */
  readonly sequence: number;
  /** Says that the answer is complete, so that it must not begin again. */
  complete(): void;
  /** Remembers the number of the next answer, for one that begins again. */
  reach(sequence: number): void;
}

/** The lasting answers of a process. */
export class Leases {
  readonly #time: number;
  readonly #running = new Map<string, () => void>();
  /** The numbers of the next answers to questions that have ended; infinite if the answer was complete. */
  readonly #past = new Map<string, number>();

  /** @param time Milliseconds after which an answer ends that nobody has asked for again. */
  constructor(time: number) {
    this.#time = time;
  }

  /** Says whether no further answer may begin. */
  get full(): boolean {
    return this.#running.size >= MOST_LASTING;
  }

  /** Renews an answer that goes on. Returns whether there is nothing more to do for the question. */
  renew(question: string): boolean {
    const renew = this.#running.get(question);
    renew?.();
    return renew !== undefined || this.#past.get(question) === Infinity;
  }

  /** Begins an answer. */
  begin(question: string): Lease {
    const lapsing = new AbortController();
    const lapse = () => lapsing.abort(new DOMException("Nobody has asked again in time", "AbortError"));
    let timer = setTimeout(lapse, this.#time);
    this.#running.set(question, () => {
      clearTimeout(timer);
      timer = setTimeout(lapse, this.#time);
    });
    const sequence = this.#past.get(question) ?? 0;
    let next = sequence;
    return {
      signal: lapsing.signal,
      sequence,
      complete: () => void (next = Infinity),
      reach: (reached) => void (next = reached),
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        lapse();
        this.#running.delete(question);
        this.#past.delete(question);
        this.#past.set(question, next);
        if (this.#past.size > MOST_PAST) this.#past.delete(this.#past.keys().next().value!);
      },
    };
  }
}
