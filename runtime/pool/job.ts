import { decodeCallHeaders } from "../message/call_headers.ts";
import type { Failure } from "../message/failure.ts";
import type { Outcome } from "../message/outcome.ts";
import type { Invocation } from "../channel/port.ts";
import type { ReplyStream } from "../message/reply_stream.ts";
import { fieldsOfCall } from "../telemetry/call_fields.ts";
import type { EndedCall } from "../telemetry/ended_call.ts";
import { traceparentOfSpan } from "../telemetry/trace.ts";
import type { PoolOptions } from "./pool_options.ts";

/** Calls shorter than this many milliseconds may wait behind each other in a thread. */
export const SHORT_CALL = 1;

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
  /** Steady time of the pool's clock at which the thread must have answered or, once `timedOut` is true, ended the call. */
  timeoutAt: number;
  /** Name of the thread that has the call, or had it last. */
  thread: string | undefined;
  /** Milliseconds that the thread took for the call, as the thread says. */
  ran: number | undefined;
  /** Time at which the outcome came from the thread; undefined if the pool has made the outcome. */
  endedAt: number | undefined;
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
    queuedAt: invocation.at ?? performance.now(),
    timeoutAt: Infinity,
    thread: undefined,
    ran: undefined,
    endedAt: undefined,
    timedOut: false,
    stream: undefined,
  };
}

/** The outcome of a call that nobody waits for, and that no thread has started. */
export const CANCELLED = { status: "unstarted", reason: "cancelled" } as const;

/** Marks calls that waited behind one that took too long, and returns them. */
export function surprised(jobs: readonly Job[]): readonly Job[] {
  for (const job of jobs) {
    job.expected = SHORT_CALL;
    job.surprised = true;
  }
  return jobs;
}

/**
 * Tells `listener` that a call has ended. A call whose reply is a stream has its outcome when the stream begins, and
 * ends with the stream.
 *
 * @returns The outcome, which names the call if the call has failed.
 */
export function tellEnd(job: Job, outcome: Outcome, listener: (ended: EndedCall) => void): Outcome {
  if (outcome.status === "done" && outcome.stream !== undefined) return outcome;
  const { invocation, thread, ran, queuedAt, endedAt = performance.now() } = job;
  listener({ invocation, outcome, thread, ran, took: endedAt - queuedAt, endedAt });
  const { span, parent } = invocation;
  return outcome.status === "failed" && span !== undefined
    ? { ...outcome, traceparent: traceparentOfSpan(span, parent) }
    : outcome;
}

/** Logs a failure that the thread of the call does not log. */
export function logFailure(
  { invocation: { entrypoint, headers, span, parent: led } }: Job,
  { message }: Failure,
  { service, entrypoints, log }: Pick<PoolOptions, "service" | "entrypoints" | "log">,
): void {
  const entry = entrypoints?.[entrypoint];
  if (entry === undefined) return;
  const { kind, method } = entry;
  const parent = decodeCallHeaders(headers).stack.at(-1);
  const traceparent = span === undefined ? undefined : traceparentOfSpan(span, led);
  log.error(
    `${kind} ${service}.${method} failed: ${message}`,
    parent === undefined ? {} : { caller: parent },
    {
      ...fieldsOfCall(service, method, traceparent),
      parent,
      kind,
      outcome: "failed",
    },
  );
}
