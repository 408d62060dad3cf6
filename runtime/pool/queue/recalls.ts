import { CANCELLED, type Job } from "../job.ts";
import type { SlottedCall } from "./mailbox.ts";

/** Milliseconds for which nobody decides about a call that was asked for. After that, it counts as started. */
const PATIENCE = 100;

/** What {@linkcode Recalls} needs of a thread. */
export interface RecallsMeans {
  /** Asks for calls. `onAnswer` gets the slots of those that the thread will not start. */
  readonly recall: (slots: readonly number[], onAnswer: (back: ReadonlySet<number>) => void) => void;
  /** Takes a call back. Returns false if the thread does not have it any longer. */
  readonly takeBack: (call: SlottedCall) => boolean;
  /** Called with the calls that came back, in the order in which they came to the pool, after each answer. */
  readonly onAnswer: (jobs: readonly Job[]) => void;
}

/**
 * Asks a thread of another process for calls that it may not have started.
 *
 * The main thread shares no memory with such a thread, so it learns only later who has got the call.
 */
export class Recalls {
  readonly #means: RecallsMeans;
  /** When each call was asked for that has no answer yet. */
  readonly #asked = new WeakMap<Job, number>();
  readonly #started = new WeakSet<Job>();
  readonly #unwanted = new WeakSet<Job>();

  constructor(means: RecallsMeans) {
    this.#means = means;
  }

  /** Asks for calls, except for those that it has asked for before. */
  ask(calls: readonly SlottedCall[]): void {
    const fresh = calls.filter(([, job]) => !this.#started.has(job) && !this.#asked.has(job));
    if (fresh.length === 0) return;
    for (const [, job] of fresh) this.#asked.set(job, performance.now());
    const due = fresh.map(([, job]) => job.timeoutAt);
    this.#means.recall(fresh.map(([slot]) => slot), (slots) => this.#take(fresh, due, slots));
  }

  /** Asks for a call that nobody waits for. If it comes back, it is settled. */
  drop(call: SlottedCall): void {
    this.#unwanted.add(call[1]);
    this.ask([call]);
  }

  /**
   * Puts off the end of a call's time while it is not known whether the call has started. Returns false if that is known,
   * or cannot be learned in time.
   */
  putOff(call: SlottedCall, now: number): boolean {
    const [, job] = call;
    if (job.timedOut) return false;
    this.ask([call]);
    const since = this.#asked.get(job);
    if (since === undefined || performance.now() - since >= PATIENCE) return false;
    job.timeoutAt = now + PATIENCE;
    return true;
  }

  /** @param due When the time of each call is up. */
  #take(calls: readonly SlottedCall[], due: readonly number[], slots: ReadonlySet<number>): void {
    const back: Job[] = [];
    for (const [index, [slot, job]] of calls.entries()) {
      this.#asked.delete(job);
      if (!job.timedOut && job.timeoutAt < Infinity) job.timeoutAt = due[index]!;
      if (!slots.has(slot)) this.#started.add(job);
      else if (this.#means.takeBack([slot, job]) && !job.timedOut) back.push(job);
    }
    for (const job of back) if (this.#unwanted.has(job)) job.settle(CANCELLED);
    this.#means.onAnswer(
      back.filter((job) => !this.#unwanted.has(job)).sort((a, b) => a.queuedAt - b.queuedAt),
    );
  }
}
