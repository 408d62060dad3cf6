import type { PlainRecord } from "./plain.ts";

/** An encoded result; `undefined` if the entrypoint gives no result. */
export type Body = string | Uint8Array<ArrayBuffer> | undefined;

/** A piece of a body. */
export type Chunk = string | Uint8Array<ArrayBuffer>;

/** An encoded result that carries more than a body, or whose body comes in chunks. */
export interface Reply {
  /** Data that the host of the entrypoint needs in addition to the body. */
  readonly head: PlainRecord | string;
  /** The encoded result. */
  readonly body: Body;
  /** Takes the place of `body`. Each chunk is produced when the reader asks for it. */
  readonly chunks?: AsyncIterable<Chunk>;
}

/** Says whether an encoded result is more than a body. */
export function isReply(encoded: Body | Reply): encoded is Reply {
  return typeof encoded === "object" && !(encoded instanceof Uint8Array);
}

/** Why the runtime tells a running call to stop. */
export type CancelReason = "timeout" | "stopping" | "cancelled";
