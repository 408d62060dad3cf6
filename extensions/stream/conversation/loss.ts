import { CallError } from "../../../runtime/message/errors.ts";

/** Why a connection has ended. */
export type StreamLossCode =
  /** The peer has closed the connection. */
  | "ended"
  /** This side has closed the connection after all that was written: `close()`. */
  | "closed"
  /** This side has cut the connection: `abort()`, or an aborted signal. */
  | "aborted"
  /** The network or the peer has cut the connection. */
  | "reset"
  /** Nothing was sent or received for the idle time. */
  | "idle"
  /** The peer has left too much unread, or has read nothing for too long. */
  | "unread"
  /** A line or a frame was longer than the limit. */
  | "oversized"
  /** A handler has failed, has run out of time, or was lost with its thread. */
  | "failed"
  /** The service stops, or its new version speaks otherwise. */
  | "stopping";

/** The end of a connection, as `lost` gets it. */
export interface StreamLoss {
  /** Why the connection has ended. */
  readonly code: StreamLossCode;
  /** A sentence for people and logs. It may quote what a peer or a handler has said. */
  readonly message: string;
}

/** A write has come too late: the connection has ended. */
export class ConnectionLostError extends CallError {
  static {
    this.prototype.name = "ConnectionLostError";
  }

  /** Makes the error of a connection that is no longer there. */
  constructor(id: string) {
    super(`Cannot write to connection ${id}: the connection has ended`, {
      code: "CONNECTION_LOST",
      data: { connection: id },
    });
  }
}
