import type { Outcome } from "../message/outcome.ts";
import type { Invocation } from "../channel/port.ts";
import type { ReplyStream } from "../message/reply_stream.ts";

/** A call in the hands of the pool. */
export interface Job {
  readonly invocation: Invocation;
  /** Gives the call its outcome; only the first one counts. */
  readonly settle: (outcome: Outcome) => void;
  /** Milliseconds that it is expected to take. */
  expected: number;
  /** Whether it waited behind a call that took too long; it counts as long itself then. */
  surprised: boolean;
  /** When it came to the pool. */
  readonly queuedAt: number;
  /** When its thread must have answered, and whether it has failed to. */
  timeoutAt: number;
  timedOut: boolean;
  /** What its handler is still producing; the call has been settled then, and keeps its slot. */
  stream: ReplyStream | undefined;
}

/** A call that has just come. */
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
