import type { FieldTable } from "../message/transport.ts";
import type { Log } from "../log/log.ts";

/** Facts about the call in progress. Every handler finds them in its context as `call`. */
export interface Call {
  /** Unique id of this call, of the form `service.method.uuid`. */
  readonly id: string;
  readonly service: string;
  readonly method: string;
  /** Ids of the calls that led to this call, oldest first. The last one is the id of this call. */
  readonly stack: readonly string[];
  /** Context data that arrived with the call. Every call and event that the handler sends carries it on. */
  readonly headers: FieldTable;
  /** Epoch milliseconds after which nobody waits for the result any more. */
  readonly deadline: number | undefined;
  /** Aborts on a timeout, when the caller's deadline passes, and on a forced shutdown. */
  readonly signal: AbortSignal;
  /** Writes to the service's log, with the call's id. */
  readonly log: Log;
}
