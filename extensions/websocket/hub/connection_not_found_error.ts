import { CallError } from "../../../runtime/message/errors.ts";

/** No client has the socket id, or the client with that id has left. */
export class ConnectionNotFoundError extends CallError {
  static {
    this.prototype.name = "ConnectionNotFoundError";
  }

  /** Makes the error of a socket that the hub does not have. */
  constructor(socketId: string) {
    super(`Cannot subscribe socket "${socketId}": no client with this id is connected`, {
      code: "CONNECTION_NOT_FOUND",
      data: { socketId },
    });
  }
}
