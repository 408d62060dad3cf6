import { CallError } from "../../../runtime/message/errors.ts";

/** No connection has come about. */
export class ConnectionFailedError extends CallError {
  static {
    this.prototype.name = "ConnectionFailedError";
  }

  /** Makes the error of an address that cannot be connected to. */
  constructor(address: string, reason: string, options: ErrorOptions = {}) {
    super(`Cannot connect to ${address}: ${reason}`, {
      code: "CONNECTION_FAILED",
      retryable: true,
      data: { address },
      ...options,
    });
  }
}
