/**
 * This file ends what is overdue: calls whose time is up and, if necessary, the thread that runs them, and
 * threads that give no sign of life.
 *
 * The pool answers the caller at once and tells the call to stop. If the call does not end within the kill
 * grace, the pool must end its thread, because nothing else stops a handler. But a thread that also runs
 * other calls, and still answers, may continue with them. The pool gives such a thread no more calls. It ends
 * the thread when nobody waits for any of its calls, or when the thread answers no more.
 */
import { CallTimeoutError } from "../message/errors.ts";
import type { Job } from "./job.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import type { Crew } from "./crew.ts";
import { GROW_PATIENCE, MAILBOX_PATIENCE, QUEUE_PATIENCE } from "./placement.ts";
import type { PoolLimits, PoolOptions } from "./pool_options.ts";
import type { PooledThread } from "./pooled_thread.ts";

/**
 * Ends the calls of a thread whose time is up.
 *
 * @param now The present time, as `performance.now()` gives it.
 * @param killGrace Milliseconds that a call may take to end after its time was up.
 * @param fail Answers a call whose time is up, such as with {@linkcode outOfTime}.
 * @returns Calls that have not started. The caller must put them back into the queue.
 */
export function expireCalls(
  thread: PooledThread,
  now: number,
  killGrace: number,
  fail: (job: Job) => void,
): readonly Job[] {
  const { started, unstarted } = thread.expire(now);
  if (started.length === 0) return unstarted;
  let endless = false;
  for (const job of started) {
    job.timeoutAt = now + killGrace;
    if (job.timedOut) endless = true;
    else {
      job.timedOut = true;
      fail(job);
    }
  }
  if (!endless) {
    thread.ping();
    return unstarted;
  }
  const takenBack = thread.takeBackUnstarted();
  if (isNeeded(thread) && !thread.isSilent) {
    thread.condemn();
    thread.ping();
  } else thread.kill(`a call did not end ${killGrace} ms after its time was up`);
  return [...unstarted, ...takenBack];
}

/** Whether somebody waits for a call in a thread. */
function isNeeded({ jobs }: PooledThread): boolean {
  return jobs.some((job) => job !== undefined && !job.timedOut);
}

/** Makes the failure of a call whose time is up. */
export function outOfTime(
  { invocation: { timeout, entrypoint } }: Job,
  { service, entrypoints }: Pick<PoolOptions, "service" | "entrypoints">,
): Failure {
  const method = entrypoints?.[entrypoint]?.method;
  const name = method === undefined ? "the call" : `${service}.${method}`;
  return describeFailure(
    new CallTimeoutError(`Cannot finish ${name}: it took longer than its timeout of ${timeout} ms`),
  );
}

/** Longest time between two looks at threads that run something, in milliseconds. */
const LOOK_INTERVAL = 1_000;

/** Milliseconds of silence after which the pool asks a busy thread for a sign of life. */
const SILENCE = 5_000;

/** Time between two looks: short enough to ask for a sign of life, and to get it, before silence counts. */
export function lookInterval(stallTimeout: number): number {
  return Math.min(LOOK_INTERVAL, stallTimeout / 4);
}

/** Asks a silent thread for a sign of life, and ends the thread if it has given none for `stallTimeout`. */
export function checkPulse(thread: PooledThread, now: number, stallTimeout: number): void {
  const silence = now - thread.heardAt;
  if (silence > stallTimeout) thread.kill(`it gave no sign of life for ${Math.round(silence)} ms`);
  else if (silence > Math.min(SILENCE, stallTimeout / 2)) thread.ping();
}

/**
 * Returns the time at which the pool has to look again; infinite once nothing runs and no thread is to retire.
 *
 * @param oldest The call that has waited for a thread for the longest time.
 */
export function nextLook(
  now: number,
  { ready, size, retryAt }: Pick<Crew, "ready" | "size" | "retryAt">,
  oldest: Job | undefined,
  { concurrency, minWorkers, idleTimeout, stallTimeout }: PoolLimits,
): number {
  let next = retryAt;
  for (const thread of ready) {
    if (thread.assigned > 0) {
      const look = thread.assigned > concurrency ? MAILBOX_PATIENCE : lookInterval(stallTimeout);
      next = Math.min(next, now + look, thread.nextTimeout);
    } else if (size > minWorkers) {
      next = Math.min(next, thread.idleSince + idleTimeout);
    }
  }
  if (oldest === undefined) return next;
  return Math.min(next, Math.max(now + GROW_PATIENCE, oldest.queuedAt + QUEUE_PATIENCE));
}
