import type { Failure } from "../../runtime/message/failure.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";

/** What a thread gets of a connection with each of its calls. */
export interface ConnectionHead extends PlainRecord {
  readonly socketId: string;
  /** Of the request that opened it. */
  readonly url: string;
  /** Names and values in turn, of the same request. */
  readonly headers: readonly string[];
  /** What its calls keep for each other, as JSON. */
  readonly state: string;
}

/** What main gets of a call that has changed the state of its connection. */
export interface ChangeHead {
  readonly state: string;
  /** Where the call failed all the same. */
  readonly failure?: Failure;
}
