/**
 * This folder holds what can be seen of a process from outside: the spans of traces, the records of calls, and numbers.
 *
 * This file says what the pool tells about a call that has its outcome.
 */
import type { Invocation } from "../channel/port.ts";
import type { Outcome } from "../message/outcome.ts";

/** A call that has its outcome. */
export interface EndedCall {
  readonly invocation: Invocation;
  readonly outcome: Outcome;
  /** Name of the thread that had the call; undefined if no thread had it. */
  readonly thread: string | undefined;
  /** Milliseconds from the moment when the call came to the pool. */
  readonly took: number;
  /** Time at which the outcome came, as `performance.now()` gives it. */
  readonly endedAt: number;
  /** Milliseconds of these in the thread; undefined if the thread has not said so. */
  readonly ran: number | undefined;
}
