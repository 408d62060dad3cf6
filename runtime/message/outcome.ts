import type { Failure } from "./failure.ts";
import type { PlainRecord } from "./plain.ts";
import type { Body } from "./reply.ts";
import type { ReplyStream } from "./reply_stream.ts";

/**
 * How a call ended: its handler returned, its handler failed, or its handler never ran.
 *
 * An unstarted call has had no effect, so the broker may offer its delivery again, here or elsewhere.
 */
export type Outcome =
  | {
    readonly status: "done";
    readonly body: Body;
    /** Head of the {@linkcode Reply}, if the encoded result was one. */
    readonly head?: PlainRecord | string;
    /**
     * Chunks that the handler still produces; they take the place of `body`. The owner of the outcome must
     * read the stream to its end, or cancel it.
     */
    readonly stream?: ReplyStream;
    /** The error that the reply tells of. Absent if the handler has succeeded. */
    readonly fault?: Fault;
  }
  | {
    readonly status: "failed";
    readonly failure: Failure;
    readonly expected: boolean;
    /** Whether the message itself is unreadable. No handler will ever take such a message. */
    readonly undecoded?: true;
    /**
     * For a call that was lost with its thread: the number of other calls that ran in the thread. Each of
     * them may be the cause.
     */
    readonly lostWith?: number;
    /** The `traceparent` of the call that has failed. */
    readonly traceparent?: string;
  }
  | { readonly status: "unstarted"; readonly reason: "stopping" | "shed" | "cancelled" };

/** An error of a handler to which the entrypoint has made a reply of its own, as HTTP does. */
export interface Fault {
  /** Name of the error's class. */
  readonly name: string;
  /** Whether the entrypoint's `expected` names the error, so that it is the caller's fault. */
  readonly expected: boolean;
}

/** The outcome of a call that its handler has finished, or that was refused. */
export type EndedOutcome = Exclude<Outcome, { readonly status: "unstarted" }>;

/** Makes a failed outcome for a failure that the runtime itself reports. */
export function failed(
  failure: Failure,
  expected = false,
): Extract<Outcome, { readonly status: "failed" }> {
  return { status: "failed", failure, expected };
}
