import { CallError } from "../../../runtime/message/errors.ts";

/** No connection has come about. */
export class ConnectionFailedError extends CallError {
  static {
    this.prototype.name = "ConnectionFailedError";
  }

  constructor(address: string, reason: string, options: ErrorOptions = {}) {
    super(`Cannot connect to ${address}: ${reason}`, {
      code: "CONNECTION_FAILED",
      retryable: true,
      data: { address },
      ...options,
    });
  }
}
