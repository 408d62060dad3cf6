/**
 * Which thread gets a call, and when there should be more threads: the policy of the pool, without its state.
 *
 * Short calls fill the threads that are awake, because waking one costs more than such a call; long calls get a
 * thread of their own, and a spare one is kept ready for the next. More threads than cores do not help short
 * calls, unless the threads are stuck.
 */
import { type PooledThread, SHORT_CALL } from "./pooled_thread.ts";

/** Milliseconds that calls may wait in the queue before they count as stuck. */
export const QUEUE_PATIENCE = 250;

/** Milliseconds that a call may wait before threads are started for all that wait. */
export const GROW_PATIENCE = 10;

/** Milliseconds of expected work up to which an awake thread is filled before another is woken. */
const WAKE_COST = 1;

/** Milliseconds of expected work that may wait in one thread. */
const MAILBOX_DEPTH = 5;

const CORES = Math.max(2, navigator.hardwareConcurrency);

/**
 * The thread for a call, or undefined where the call had better wait.
 *
 * @param expected Milliseconds that the call is expected to take.
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

/** What the pool looks like to {@linkcode threadsWanted}. */
export interface PoolView {
  /** Threads, the starting ones included. */
  readonly size: number;
  /** Calls that wait for a thread. */
  readonly queued: number;
  /** Milliseconds that the first of them has waited. */
  readonly waited: number;
  /** Milliseconds that it, or else a call on average, is expected to take. */
  readonly expected: number;
  readonly hasIdle: boolean;
  readonly maxWorkers: number;
}

/** How many threads should be starting. */
export function threadsWanted({ size, queued, waited, expected, hasIdle, maxWorkers }: PoolView): number {
  const short = expected < SHORT_CALL && waited < QUEUE_PATIENCE;
  const room = (short ? Math.min(maxWorkers, CORES) : maxWorkers) - size;
  if (room <= 0) return 0;
  if (queued > 0 && waited >= GROW_PATIENCE) return Math.min(queued, room);
  return short || hasIdle ? 0 : 1;
}
