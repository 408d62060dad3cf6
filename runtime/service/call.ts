import type { FieldTable } from "../message/transport.ts";
import type { Log } from "../log/log.ts";
import type { PlainRecord } from "../message/plain.ts";

/** The HTTP request by which a call came, without its body. */
export interface CallRequest {
  /** The method of HTTP, such as `GET`. */
  readonly method: string;
  /** The whole URL. */
  readonly url: string;
  /** The headers of the request. */
  readonly headers: Headers;
  /** Id of the request: the client's own `x-request-id`, or one that is made when it is first read. */
  readonly id: string;
}

/** Facts about the call in progress. Every handler finds them in its context as `call`. */
export interface Call {
  /** Unique id of this call, of the form `service.method.uuid`. */
  readonly id: string;
  /**
   * Id of the W3C trace that the call is a part of, 32 hexadecimal digits. Everything that the call sends carries the
   * trace on, as the context data `traceparent`. Undefined where `telemetry` is off and no caller has named a trace.
   */
  readonly trace: string | undefined;
  /** Name of the service that is called. */
  readonly service: string;
  /** The method that runs. */
  readonly method: string;
  /** Kind of the entrypoint by which the call came, such as `rpc`. */
  readonly kind: string;
  /** Options of that entrypoint, as the manifest has them. */
  readonly options: PlainRecord;
  /** Arguments of the handler behind its context. Empty until the message has been decoded. */
  readonly arguments: readonly unknown[];
  /** The HTTP request by which the call came; undefined for a call of another kind. */
  readonly request: CallRequest | undefined;
  /** Ids of the calls that led to this call, oldest first. The last one is the id of this call. */
  readonly stack: readonly string[];
  /** Context data that arrived with the call. Every call and event that the handler sends carries it on. */
  readonly headers: FieldTable;
  /**
   * Adds context data to the call: from now on it is among `headers`, and everything that the handler sends carries it.
   *
   * @throws {TypeError} If a value cannot stand in a header.
   */
  carry(data: FieldTable): void;
  /** Epoch milliseconds after which nobody waits for the result any more. */
  readonly deadline: number | undefined;
  /** Aborts on a timeout, when the caller's deadline passes, and on a forced shutdown. */
  readonly signal: AbortSignal;
  /** Writes to the service's log, with the call's id. */
  readonly log: Log;
}
