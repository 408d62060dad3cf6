import type { Pool } from "../pool/pool.ts";

/** Numbers of the threads of a service and of its calls. */
export interface PoolNumbers {
  /** Threads, those that start included. */
  readonly size: number;
  /** Threads that take calls. */
  readonly ready: number;
  /** Threads that run a call. */
  readonly busy: number;
  /** Threads that start. */
  readonly starting: number;
  /** Starts of threads that have failed since the last one that did not. */
  readonly failedStarts: number;
  /** Calls in the threads. */
  readonly active: number;
  /** Calls that wait for a thread. */
  readonly queued: number;
}

/** Adds up the numbers of several pools. */
export function poolNumbers(pools: Iterable<Pool>): PoolNumbers {
  let [size, ready, busy, starting, failedStarts, active, queued] = [0, 0, 0, 0, 0, 0, 0];
  for (const pool of pools) {
    const { threads } = pool;
    size += pool.size;
    ready += threads.ready;
    busy += threads.busy;
    starting += threads.starting;
    failedStarts += threads.failedStarts;
    active += pool.active;
    queued += pool.queued;
  }
  return { size, ready, busy, starting, failedStarts, active, queued };
}
