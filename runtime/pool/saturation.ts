import type { Log } from "../log/log.ts";
import type { Job } from "./job.ts";
import { QUEUE_PATIENCE } from "./placement.ts";
import type { PoolLimits } from "./pool_options.ts";
import type { PooledThread } from "./pooled_thread.ts";

/** Milliseconds for which calls wait, or no thread settles a call, before a pool counts as saturated. */
const PATIENCE = 5_000;

/**
 * Milliseconds for which a look each second finds all threads busy, before a pool counts as saturated though no call
 * waits in it: the broker may hold calls, because it delivers no more than threads can run.
 */
const BUSY_PATIENCE = 60_000;

/** Milliseconds between two warnings. */
const INTERVAL = 60_000;

/** What counts of a thread. */
export type ThreadLoad = Pick<PooledThread, "assigned" | "pendingRequests" | "busySince">;

/**
 * Says in the log that the calls of a service do not get on: its threads all wait for other calls, perhaps for
 * calls of the same service, or they are all busy while calls wait or may wait in the broker.
 */
export class Saturation {
  readonly #service: string;
  readonly #log: Log;
  #toldAt = -Infinity;
  #told = false;
  #fullSince = Infinity;

  constructor(service: string, log: Log) {
    this.#service = service;
    this.#log = log;
  }

  /**
   * Looks at a pool.
   *
   * @param queue The calls that wait for a thread, the oldest first.
   */
  look(
    now: number,
    threads: ReadonlySet<ThreadLoad>,
    queue: readonly Pick<Job, "queuedAt">[],
    { maxWorkers, concurrency }: Pick<PoolLimits, "maxWorkers" | "concurrency">,
  ): void {
    if (threads.size < maxWorkers) return this.#rest();
    const waited = queue[0] === undefined ? 0 : now - queue[0].queuedAt;
    let stuckFor = Infinity;
    let waiting = 0;
    for (const { assigned, pendingRequests, busySince } of threads) {
      if (assigned < concurrency) return this.#rest();
      stuckFor = Math.min(stuckFor, now - busySince);
      if (pendingRequests > 0) waiting++;
    }
    this.#fullSince = Math.min(this.#fullSince, now);
    if (now - this.#toldAt < INTERVAL) return;
    const all = `All ${threads.size} threads`;
    const calls = `${queue.length} ${queue.length === 1 ? "call waits" : "calls wait"} for a thread`;
    const since = `, the oldest for ${seconds(waited)}`;
    if (waiting === threads.size && waited >= (this.#told ? PATIENCE : QUEUE_PATIENCE)) {
      this.#tell(now, `${all} wait for answers of other calls while ${calls}${since}. ${this.#selfCall}`);
    } else if (waiting === threads.size && stuckFor >= PATIENCE) {
      // The calls that would free the threads may wait in the broker, which delivers no more than threads can run.
      this.#tell(
        now,
        `${all} have waited for answers of other calls for ${
          seconds(stuckFor)
        } and have finished none. ${this.#selfCall}`,
      );
    } else if (waited >= PATIENCE) {
      this.#tell(
        now,
        `${all} are busy while ${calls}${since}. Raise max_workers or concurrency of service ` +
          `"${this.#service}", or serve it in further processes`,
      );
    } else if (now - this.#fullSince >= BUSY_PATIENCE) {
      this.#tell(
        now,
        `${all} have been busy for ${
          seconds(now - this.#fullSince)
        } whenever this service looked, so that calls may ` +
          `wait in the broker. Raise max_workers or concurrency of service "${this.#service}", or serve it in ` +
          "further processes",
      );
    }
  }

  #rest(): void {
    this.#fullSince = Infinity;
  }

  get #selfCall(): string {
    return `If service "${this.#service}" calls itself, raise max_workers or concurrency`;
  }

  #tell(now: number, text: string): void {
    this.#toldAt = now;
    this.#told = true;
    this.#log.warning(text);
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
