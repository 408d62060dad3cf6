import type { Plain, PlainRecord } from "./plain.ts";
import type { ReplyStream } from "./reply_stream.ts";

/** An error as it crosses a thread or a broker: data, never an instance. */
export interface Failure {
  /** Class name where it was thrown. */
  readonly name: string;
  readonly message: string;
  /** Stable identifier to switch on, such as `"METHOD_NOT_FOUND"` or a code of the service's own. */
  readonly code: string;
  /** Structured detail that the thrower chose to publish. */
  readonly data?: Plain;
  /** Whether the same call may succeed if repeated. */
  readonly retryable: boolean;
}

/** An encoded result; `undefined` where the entrypoint has none to give. */
export type Body = string | Uint8Array<ArrayBuffer> | undefined;

/** A piece of a body. */
export type Chunk = string | Uint8Array<ArrayBuffer>;

/** An encoded result that has more to say than its body, or whose body comes bit by bit. */
export interface Reply {
  /** What the host half of the entrypoint must know beside the body. */
  readonly head: PlainRecord | string;
  readonly body: Body;
  /** In place of `body`; each chunk is produced when it is asked for. */
  readonly chunks?: AsyncIterable<Chunk>;
}

/** Whether an encoded result is more than a body. */
export function isReply(encoded: Body | Reply): encoded is Reply {
  return typeof encoded === "object" && !(encoded instanceof Uint8Array);
}

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

/** Fields that may be found on a thrown value; read, never trusted. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly data?: unknown;
  readonly retryable?: unknown;
}

/** Describes whatever was thrown; `data` that JSON cannot carry is left out. Never throws. */
export function describeFailure(thrown: unknown): Failure {
  if (typeof thrown !== "object" || thrown === null) return { ...UNREADABLE, message: String(thrown) };
  try {
    return describeObject(thrown);
  } catch {
    return UNREADABLE;
  }
}

/** A thrown value whose own code fails when it is read. */
const UNREADABLE: Failure = {
  name: "Error",
  message: "the thrown value cannot be read",
  code: "ERROR",
  retryable: false,
};

function describeObject(thrown: object): Failure {
  const { message, code, data, retryable } = thrown as Thrown;
  const failure = {
    name: classNameOf(thrown),
    message: typeof message === "string" ? message : String(thrown),
    code: typeof code === "string" ? code : "ERROR",
    retryable: retryable === true,
  };
  const plain = data === undefined ? undefined : toPlain(data);
  return plain === undefined ? failure : { ...failure, data: plain };
}

/** The name that the value or its class was given; one that a base class was given is not its own. */
function classNameOf(thrown: object): string {
  const named = Object.hasOwn(thrown, "name") || Object.hasOwn(Object.getPrototypeOf(thrown) ?? {}, "name");
  const { name } = thrown as Thrown;
  return (named && typeof name === "string" && name) || thrown.constructor?.name || "Error";
}

function toPlain(data: unknown): Plain | undefined {
  try {
    const text = JSON.stringify(data);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
