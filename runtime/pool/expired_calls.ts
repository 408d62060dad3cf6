/**
 * What becomes of calls whose time is up, and of the thread that runs them.
 *
 * The caller is answered at once, and the call is told. If it does not end within the kill grace, its thread has to
 * go, since nothing else stops a handler. A thread that runs other calls meanwhile and still answers gets on with
 * them: it is given no more, and goes when nobody waits for any of its calls, or it answers no more.
 */
import { CallTimeoutError } from "../message/errors.ts";
import type { Job } from "./job.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import type { PooledThread } from "./pooled_thread.ts";

/**
 * Sees to the calls of a thread whose time is up.
 *
 * @param now In the time of `performance.now()`.
 * @param killGrace Milliseconds that a call may take to end after its time was up.
 * @param fail Answers a call.
 * @returns Calls that have not started, and are to run in another thread.
 */
export function expireCalls(
  thread: PooledThread,
  now: number,
  killGrace: number,
  fail: (job: Job, failure: Failure) => void,
): readonly Job[] {
  const { started, unstarted } = thread.expire(now);
  if (started.length === 0) return unstarted;
  let endless = false;
  for (const job of started) {
    job.timeoutAt = now + killGrace;
    if (job.timedOut) endless = true;
    else {
      job.timedOut = true;
      fail(job, outOfTime(job));
    }
  }
  if (!endless) {
    thread.ping();
    return unstarted;
  }
  const takenBack = thread.takeBackUnstarted();
  if (thread.isNeeded && !thread.isSilent) {
    thread.condemn();
    thread.ping();
  } else thread.kill(`a call did not end ${killGrace} ms after its time was up`);
  return [...unstarted, ...takenBack];
}

function outOfTime({ invocation: { timeout } }: Job): Failure {
  return describeFailure(
    new CallTimeoutError(`Cannot finish the call: it may take ${timeout} ms and took longer`),
  );
}
