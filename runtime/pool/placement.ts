/**
 * This file decides which thread gets a call, and when the pool should have more threads. It is the policy of
 * the pool, without the state of the pool.
 *
 * Short calls fill the threads that are awake, because waking a thread costs more than such a call. Each long
 * call gets a separate thread, and the pool keeps a spare thread ready for the next one. More threads than
 * cores do not help short calls, unless the threads are stuck.
 */
import { SHORT_CALL } from "./job.ts";
import type { PooledThread } from "./pooled_thread.ts";

/** Milliseconds that calls may wait in the queue before they count as stuck. */
export const QUEUE_PATIENCE = 250;

/** Milliseconds after which the pool takes back calls that wait behind a running one. */
export const MAILBOX_PATIENCE = 10;

/** Milliseconds that a call may wait before the pool starts threads for all waiting calls. */
export const GROW_PATIENCE = 10;

/** The same while the pool is cold: a thread that starts takes the cores from the calls that are to warm it up. */
export const COLD_PATIENCE = 25;

/**
 * Number of threads of one pool that start at the same time. A start keeps a core busy, and calls that run
 * need the cores too.
 */
export const STARTING_LIMIT = 2;

/** Milliseconds of expected work up to which the pool fills an awake thread before it wakes another. */
const WAKE_COST = 1;

/** Milliseconds of expected work that may wait in one thread. */
const MAILBOX_DEPTH = 5;

const CORES = Math.max(2, navigator.hardwareConcurrency);

/**
 * Chooses the thread for a call. Returns undefined if the call should wait.
 *
 * @param ready Threads that can take calls.
 * @param expected Milliseconds that the call is expected to take.
 * @param concurrency Calls that a thread runs at a time.
 */
export function chooseThread(
  ready: Iterable<PooledThread>,
  expected: number,
  concurrency: number,
): PooledThread | undefined {
  const short = expected < SHORT_CALL;
  let idle: PooledThread | undefined;
  let roomy: PooledThread | undefined;
  let awake: PooledThread | undefined;
  for (const thread of ready) {
    const { assigned } = thread;
    if (!thread.hasSlot || thread.condemned) continue;
    if (assigned === 0) idle ??= thread;
    else if (short && thread.backlog < (awake?.backlog ?? MAILBOX_DEPTH)) awake = thread;
    else if (assigned < concurrency && assigned < (roomy?.assigned ?? Infinity)) roomy = thread;
  }
  if (awake !== undefined && awake.backlog < WAKE_COST) return awake;
  return idle ?? roomy ?? awake;
}

/** The state of the pool that {@linkcode threadsWanted} needs. */
export interface PoolView {
  /** Number of threads, without those that start. */
  readonly size: number;
  /** Number of calls that wait for a thread. */
  readonly queued: number;
  /** Milliseconds that the first waiting call has waited. */
  readonly waited: number;
  /** Expected milliseconds of the first waiting call, or the average of all calls if none waits. */
  readonly expected: number;
  readonly hasIdle: boolean;
  /** Whether a thread has settled nothing for {@linkcode QUEUE_PATIENCE}, though it has calls. */
  readonly hasStuck: boolean;
  /** Whether the calls so far say little about how long calls take, because the code was cold. */
  readonly isCold: boolean;
  readonly maxWorkers: number;
}

/**
 * Returns how many threads should be starting at present, at most {@linkcode STARTING_LIMIT}.
 *
 * Short calls that wait for long behind threads that settle one call after the other wait for a processor, which more
 * threads would only keep busier.
 */
export function threadsWanted(
  { size, queued, waited, expected, hasIdle, hasStuck, isCold, maxWorkers }: PoolView,
): number {
  if (isCold && queued > 0 && waited < COLD_PATIENCE) return 0;
  const short = expected < SHORT_CALL && !(hasStuck && waited >= QUEUE_PATIENCE);
  const room = (short ? Math.min(maxWorkers, CORES) : maxWorkers) - size;
  if (room <= 0) return 0;
  if (queued > 0 && waited >= GROW_PATIENCE) return Math.min(queued, room, STARTING_LIMIT);
  return short || hasIdle ? 0 : 1;
}
