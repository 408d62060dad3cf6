import { encodeJson } from "../../../runtime/message/codec.ts";
import type {
  Messenger,
  PublishOptions,
  Request,
  RequestOptions,
} from "../../../runtime/message/messenger.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import type { Hub } from "./hub.ts";
import { HUB_ADDRESS, type HubMethod } from "./hub_request.ts";

/**
 * A messenger that answers requests to the hub itself, and passes on all others.
 *
 * A thread posts what its handler asks of the hub before it posts the handler's outcome, and the hub acts before
 * {@linkcode HubMessenger.request} returns: so events overtake results, whether the handler waits for them or not.
 */
export class HubMessenger implements Messenger, AsyncDisposable {
  readonly #hub: Hub;
  readonly #messenger: Messenger & AsyncDisposable;

  /** @param messenger Disposed with this one. */
  constructor(hub: Hub, messenger: Messenger & AsyncDisposable) {
    this.#hub = hub;
    this.#messenger = messenger;
  }

  request(request: Request, options: RequestOptions): Promise<string | Uint8Array> {
    if (request.service !== HUB_ADDRESS) return this.#messenger.request(request, options);
    return Promise.resolve(encodeJson(this.#answer(request)));
  }

  publish(message: Message, options?: PublishOptions): Promise<void> {
    return this.#messenger.publish(message, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#messenger[Symbol.asyncDispose]();
  }

  #answer({ method, body, headers }: Request): unknown {
    const [socket, channel, frame] = [String(headers.socket), String(headers.channel), String(body)];
    switch (method as HubMethod) {
      case "subscribe":
        return this.#hub.subscribe(socket, channel);
      case "unsubscribe":
        return this.#hub.unsubscribe(socket, channel);
      case "subscriptions":
        return this.#hub.subscriptions(socket);
      case "broadcast":
        return this.#hub.broadcast(channel, frame);
      case "unicast":
        return this.#hub.unicast(socket, frame);
    }
  }
}
