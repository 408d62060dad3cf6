/** How a call ended: `ok`, with an error that its entrypoint expects, or with another error. */
export type CallOutcome = "ok" | "expected" | "failed";

/** What is known of a call that has ended, without its arguments and its result. */
export interface CallRecord {
  readonly service: string;
  readonly method: string;
  /** Kind of the entrypoint, such as `rpc`. */
  readonly kind: string;
  /** Names the call as a span of its trace; undefined where a call has no trace. */
  readonly traceparent: string | undefined;
  /** Names the span that led to the call. */
  readonly parent: string | undefined;
  /** Epoch milliseconds at which the call came. */
  readonly at: number;
  /** Milliseconds from then to its end. */
  readonly took: number;
  /** Milliseconds of these that it waited for a thread. */
  readonly waited: number;
  /** Name of the thread that ran it; undefined if none has. */
  readonly thread: string | undefined;
  readonly outcome: CallOutcome;
  /** Name of the class of its error. */
  readonly error: string | undefined;
}
