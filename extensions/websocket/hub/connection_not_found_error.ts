import { CallError } from "../../../runtime/message/errors.ts";

/** No client has that socket id, or it has left. */
export class ConnectionNotFoundError extends CallError {
  static {
    this.prototype.name = "ConnectionNotFoundError";
  }

  constructor(socketId: string) {
    super(`Cannot subscribe socket "${socketId}": nobody is connected by that id`, {
      code: "CONNECTION_NOT_FOUND",
      data: { socketId },
    });
  }
}
