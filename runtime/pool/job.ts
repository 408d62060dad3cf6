import type { Outcome } from "../message/outcome.ts";
import type { Invocation } from "../channel/port.ts";
import type { ReplyStream } from "../message/reply_stream.ts";

/** A call, as the pool holds it. */
export interface Job {
  readonly invocation: Invocation;
  /** Gives the call its outcome. Only the first outcome counts. */
  readonly settle: (outcome: Outcome) => void;
  /** Milliseconds that the call is expected to take. */
  expected: number;
  /** Whether the call waited behind one that took too long. If so, the pool treats it as a long call too. */
  surprised: boolean;
  /** Time at which the call came to the pool. */
  readonly queuedAt: number;
  /** Time at which the thread must have answered or, once `timedOut` is true, ended the call. */
  timeoutAt: number;
  /** Whether the thread has failed to answer in time. */
  timedOut: boolean;
  /** Reply that the handler still produces. The call has been settled then, but keeps its slot. */
  stream: ReplyStream | undefined;
}

/** Makes the job of a call that has just come. */
export function createJob(invocation: Invocation, settle: (outcome: Outcome) => void): Job {
  return {
    invocation,
    settle,
    expected: Infinity,
    surprised: false,
    queuedAt: performance.now(),
    timeoutAt: Infinity,
    timedOut: false,
    stream: undefined,
  };
}
