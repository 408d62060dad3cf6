import { dependency, type DependencySpec } from "../../../runtime/service/dependency.ts";
import type { Messenger } from "../../../runtime/message/messenger.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { ConnectionNotFoundError } from "./connection_not_found_error.ts";
import { HUB_ADDRESS, type HubMethod } from "./hub_request.ts";
import { encodeEvent } from "../wire.ts";

declare const EVENTS: unique symbol;

/**
 * Sends events to the WebSocket clients of this process, from any handler in any thread.
 *
 * An event that a handler sends reaches a client before the handler's own result does.
 *
 * @typeParam Events Types of the payloads, by the name of the event.
 */
export interface WebSocketHub<Events> {
  /**
   * Subscribes a socket to a channel: the socket gets every broadcast there until the client leaves.
   *
   * @throws {ConnectionNotFoundError} If there is no such socket.
   */
  subscribe(socketId: string, channel: string): Promise<void>;
  /** Ends a subscription. Has no effect if there is none. */
  unsubscribe(socketId: string, channel: string): Promise<void>;
  /** Returns the channels of a socket, sorted. The list is empty if there is no such socket. */
  subscriptions(socketId: string): Promise<readonly string[]>;
  /** Sends an event to all sockets of a channel, including the caller's socket. */
  broadcast<Name extends keyof Events & string>(
    channel: string,
    event: Name,
    data: Events[Name],
  ): Promise<void>;
  /** Sends an event to one socket. Returns whether there is such a socket. */
  unicast<Name extends keyof Events & string>(
    socketId: string,
    event: Name,
    data: Events[Name],
  ): Promise<boolean>;
  /**
   * Carries the events for the compiler, and is never there.
   *
   * @internal
   */
  readonly [EVENTS]?: Events;
}

/**
 * Declares a dependency on the hub of WebSockets: Nameko's `WebSocketHubProvider`.
 *
 * Channels belong to the process, and all its services share them. To reach the clients of all instances,
 * dispatch an event whose handler has `delivery: "broadcast"`, and broadcast in that handler.
 *
 * @example
 * ```ts
 * import { rpc, service, websocket, websocketHub } from "@enoki/enoki";
 *
 * export default service("news", {
 *   dependencies: { hub: websocketHub<{ said: string }>() },
 *   entrypoints: { follow: websocket(), tell: rpc() },
 *   handlers: {
 *     follow: ({ hub }, socketId) => hub.subscribe(socketId, "news"),
 *     tell: ({ hub }, text: string) => hub.broadcast("news", "said", text),
 *   },
 * });
 * ```
 */
// deno-lint-ignore no-explicit-any -- without a list of events, all names and payloads are allowed
export function websocketHub<Events extends object = Record<string, any>>(): DependencySpec<
  WebSocketHub<Events>
> {
  return dependency({
    kind: "websocketHub",
    bind: ({ messenger }) => {
      const hub = createHub<Events>(messenger);
      return { get: () => hub };
    },
  });
}

function createHub<Events>(messenger: Messenger): WebSocketHub<Events> {
  const ask = async (method: HubMethod, headers: FieldTable, body = ""): Promise<unknown> => {
    const request = { service: HUB_ADDRESS, method, body, headers };
    return JSON.parse(String(await messenger.request(request, { timeout: Infinity })));
  };
  return {
    async subscribe(socketId, channel) {
      const found = await ask("subscribe", { socket: socketId, channel });
      if (!found) throw new ConnectionNotFoundError(socketId);
    },
    async unsubscribe(socketId, channel) {
      await ask("unsubscribe", { socket: socketId, channel });
    },
    async subscriptions(socketId) {
      return await ask("subscriptions", { socket: socketId }) as readonly string[];
    },
    async broadcast(channel, event, data) {
      await ask("broadcast", { channel }, encodeEvent(event, data));
    },
    async unicast(socketId, event, data) {
      return await ask("unicast", { socket: socketId }, encodeEvent(event, data)) as boolean;
    },
  };
}
