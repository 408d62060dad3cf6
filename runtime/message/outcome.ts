import type { Failure } from "./failure.ts";
import type { PlainRecord } from "./plain.ts";
import type { Body } from "./reply.ts";
import type { ReplyStream } from "./reply_stream.ts";

/**
 * How a call ended: the handler returned, or failed, or never ran.
 *
 * An unstarted call has had no effect: its delivery may be offered again, here or elsewhere.
 */
export type Outcome =
  | {
    readonly status: "done";
    readonly body: Body;
    /** Where the encoded result was a {@linkcode Reply}. */
    readonly head?: PlainRecord | string;
    /** In place of `body`: what the handler goes on producing. It must be read to its end, or cancelled. */
    readonly stream?: ReplyStream;
  }
  | {
    readonly status: "failed";
    readonly failure: Failure;
    readonly expected: boolean;
    /** Whether the message itself could not be read, so that no handler will ever take it. */
    readonly undecoded?: true;
    /** Where the call was lost with its thread, how many others ran there: any of them may be to blame. */
    readonly lostWith?: number;
  }
  | { readonly status: "unstarted"; readonly reason: "stopping" | "shed" | "cancelled" };

/** A failed outcome made by the runtime itself. */
export function failed(
  failure: Failure,
  expected = false,
): Extract<Outcome, { readonly status: "failed" }> {
  return { status: "failed", failure, expected };
}
