import type { FieldTable } from "../message/transport.ts";
import type { Log } from "../log/log.ts";

/** Facts about the call in progress; every handler finds it in its context as `call`. */
export interface Call {
  /** `service.method.uuid`; unique for this call. */
  readonly id: string;
  readonly service: string;
  readonly method: string;
  /** Ids of the calls that led here, oldest first, this call's own id last. */
  readonly stack: readonly string[];
  /** Context data that arrived with the call; it is passed on with every call and event made from here. */
  readonly headers: FieldTable;
  /** Epoch milliseconds after which nobody waits for the result. */
  readonly deadline: number | undefined;
  /** Aborted on timeout, when the caller's deadline passes, and on forced shutdown. */
  readonly signal: AbortSignal;
  /** Writes to the service's log, with the call's id. */
  readonly log: Log;
}
