import { CallTimeoutError } from "../../runtime/message/errors.ts";
import type { Message } from "../../runtime/message/transport.ts";

type Addressed = Pick<Message, "exchange" | "routingKey">;

/** Makes the error for a request without a reply. The time limit is in milliseconds. */
export function lateReply(request: Addressed, timeout: number): CallTimeoutError {
  return new CallTimeoutError(
    `Cannot send ${requestName(request)}: no reply within ${Math.round(timeout)} ms. ` +
      "Check that somebody answers there, or allow more time",
  );
}

/** Names a request in messages. */
export function requestName({ exchange, routingKey }: Addressed): string {
  return exchange === ""
    ? `a request to queue "${routingKey}"`
    : `a request with routing key "${routingKey}" to exchange "${exchange}"`;
}
