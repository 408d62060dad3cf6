import { encodeJson } from "../../../runtime/message/codec.ts";
import type { Request } from "../../../runtime/message/messenger.ts";
import type { Hub } from "./hub.ts";
import type { HubMethod } from "./hub_request.ts";

/**
 * Answers a request that a thread has sent to {@linkcode HUB_ADDRESS}.
 *
 * A thread posts the hub requests of a handler before it posts the handler's outcome, and the hub acts before
 * this function returns. So events reach a client before results, whether the handler waits for the hub or
 * not.
 */
export function answerForHub(hub: Hub, { method, body, headers }: Request): string {
  const [socket, channel, frame] = [String(headers.socket), String(headers.channel), String(body)];
  return encodeJson(act(hub, method as HubMethod, socket, channel, frame));
}

function act(hub: Hub, method: HubMethod, socket: string, channel: string, frame: string): unknown {
  switch (method) {
    case "subscribe":
      return hub.subscribe(socket, channel);
    case "unsubscribe":
      return hub.unsubscribe(socket, channel);
    case "subscriptions":
      return hub.subscriptions(socket);
    case "broadcast":
      return hub.broadcast(channel, frame);
    case "unicast":
      return hub.unicast(socket, frame);
  }
}
