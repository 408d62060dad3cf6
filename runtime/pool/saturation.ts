import type { Invocation } from "../channel/port.ts";
import type { Log } from "../log/log.ts";
import { LogPause } from "../log/log_pause.ts";
import type { ManifestEntrypoint } from "../service/manifest.ts";
import type { Job } from "./job.ts";
import { QUEUE_PATIENCE } from "./placement.ts";
import type { PoolLimits, PoolOptions } from "./pool_options.ts";
import type { PooledThread } from "./pooled_thread.ts";
import type { ThreadRequests } from "./thread_requests.ts";

/** Milliseconds for which calls wait, or no thread settles a call, before a pool counts as saturated. */
const PATIENCE = 5_000;

/**
 * Milliseconds for which a look each second finds all threads busy, before a pool counts as saturated though no call
 * waits in it: the broker may hold calls, because it delivers no more than threads can run.
 */
const BUSY_PATIENCE = 60_000;

/** Most methods that a warning names. */
const NAMED_METHODS = 3;

/** What counts of a thread. */
export interface ThreadLoad extends Pick<PooledThread, "assigned" | "busySince"> {
  readonly jobs: readonly (RunningJob | undefined)[];
  readonly requests: Pick<ThreadRequests, "size" | "asks">;
}

type RunningJob = { readonly invocation: Pick<Invocation, "entrypoint"> };

/**
 * Says in the log that the calls of a service do not get on: its threads all wait for other calls, perhaps for
 * calls of the same service, or they are all busy while calls wait or may wait in the broker.
 */
export class Saturation {
  readonly #service: string;
  readonly #entrypoints: readonly ManifestEntrypoint[];
  readonly #log: Log;
  readonly #pause = new LogPause();
  #told = false;
  #fullSince = Infinity;

  constructor({ service, entrypoints = [], log }: Pick<PoolOptions, "service" | "entrypoints" | "log">) {
    this.#service = service;
    this.#entrypoints = entrypoints;
    this.#log = log;
  }

  /**
   * Looks at a pool.
   *
   * @param queue The calls that wait for a thread.
   */
  look(
    now: number,
    threads: ReadonlySet<ThreadLoad>,
    queue: { readonly length: number; readonly oldest: Pick<Job, "queuedAt"> | undefined },
    { maxWorkers, concurrency }: Pick<PoolLimits, "maxWorkers" | "concurrency">,
  ): void {
    if (threads.size < maxWorkers) return this.#rest();
    const waited = queue.oldest === undefined ? 0 : now - queue.oldest.queuedAt;
    let stuckFor = Infinity;
    let waiting = 0;
    let asking = 0;
    for (const { assigned, requests, busySince } of threads) {
      if (assigned < concurrency) return this.#rest();
      stuckFor = Math.min(stuckFor, now - busySince);
      if (requests.size > 0) waiting++;
      if (requests.asks(this.#service)) asking++;
    }
    this.#fullSince = Math.min(this.#fullSince, now);
    if (this.#pause.left(now) > 0) return;
    const all = threads.size === 1 ? "The only thread" : `All ${threads.size} threads`;
    const [are, wait, have] = threads.size === 1 ? ["is", "waits", "has"] : ["are", "wait", "have"];
    const calls = `${queue.length} ${queue.length === 1 ? "call waits" : "calls wait"} for a thread`;
    const since = `, the oldest for ${seconds(waited)}`;
    const held = `They run ${this.#held(threads)}`;
    const selfCall = asking > 0
      ? `${
        asking === threads.size ? "They call" : "Some call"
      } service "${this.#service}" itself, which has no ` +
        "thread left for that: raise max_workers or concurrency"
      : `If service "${this.#service}" is called by those that it calls, raise max_workers or concurrency`;
    const wayOut =
      `Raise max_workers or concurrency of service "${this.#service}", or serve it in further processes`;
    if (waiting === threads.size && waited >= (this.#told ? PATIENCE : QUEUE_PATIENCE)) {
      this.#tell(
        now,
        `${all} ${wait} for answers of other calls while ${calls}${since}. ${held}. ${selfCall}`,
      );
    } else if (waiting === threads.size && stuckFor >= PATIENCE) {
      // The calls that would free the threads may wait in the broker, which delivers no more than threads can run.
      this.#tell(
        now,
        `${all} ${have} waited for answers of other calls for ${
          seconds(stuckFor)
        } and ${have} finished none. ` +
          `${held}. ${selfCall}`,
      );
    } else if (waited >= PATIENCE) {
      this.#tell(now, `${all} ${are} busy while ${calls}${since}. ${held}. ${wayOut}`);
    } else if (now - this.#fullSince >= BUSY_PATIENCE) {
      this.#tell(
        now,
        `${all} ${have} been busy for ${
          seconds(now - this.#fullSince)
        } whenever this service looked, so that calls ` +
          `may wait in the broker. ${held}. ${wayOut}`,
      );
    }
  }

  /** Names the methods that hold the threads, such as `3 × feed.ticks`, the most frequent first. */
  #held(threads: ReadonlySet<ThreadLoad>): string {
    const counts = new Map<string, number>();
    for (const { jobs } of threads) {
      for (const job of jobs) {
        const method = job && this.#entrypoints[job.invocation.entrypoint]?.method;
        if (method !== undefined) counts.set(method, (counts.get(method) ?? 0) + 1);
      }
    }
    const most = [...counts].sort(([, a], [, b]) => b - a);
    const named = most.slice(0, NAMED_METHODS).map(([method, count]) =>
      `${count} × ${this.#service}.${method}`
    );
    return named.join(", ") + (most.length > NAMED_METHODS ? ", …" : "");
  }

  #rest(): void {
    this.#fullSince = Infinity;
  }

  #tell(now: number, text: string): void {
    this.#pause.begin(now);
    this.#told = true;
    this.#log.warning(text);
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
