import type { PlainRecord } from "./plain.ts";

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

/** Why a running call is told to stop. */
export type CancelReason = "timeout" | "stopping" | "cancelled";
