import { ConnectionNotFoundError } from "../websocket/hub/connection_not_found_error.ts";
import type { WebSocketHub } from "../websocket/hub/websocket_hub.ts";

/** An event that a handler has sent to the sockets of a channel. */
export type Broadcast<Events> = {
  readonly [Name in keyof Events & string]: {
    readonly channel: string;
    readonly event: Name;
    readonly data: Events[Name];
  };
}[keyof Events & string];

/** An event that a handler has sent to one socket. */
export type Unicast<Events> = {
  readonly [Name in keyof Events & string]: {
    readonly socketId: string;
    readonly event: Name;
    readonly data: Events[Name];
  };
}[keyof Events & string];

/** A hub that keeps the events in place of sending them, and remembers who is subscribed to what. */
export type FakeHub<Events> = WebSocketHub<Events> & {
  /** The broadcasts in their order, also those to channels without a socket. */
  readonly broadcasts: readonly Broadcast<Events>[];
  /** The unicasts in their order, also those to sockets that are not there. */
  readonly unicasts: readonly Unicast<Events>[];
  /** The ids of the sockets of each channel that has some. */
  readonly channels: ReadonlyMap<string, ReadonlySet<string>>;
};

/** Options of {@linkcode fakeHub}. */
export interface FakeHubOptions {
  /**
   * Ids of the sockets that are there. To subscribe another one throws {@linkcode ConnectionNotFoundError}, and a
   * unicast to another one gives `false`.
   *
   * @default {every socket is there}
   */
  readonly sockets?: Iterable<string>;
}

/**
 * Makes a hub of WebSockets for a test, which records broadcasts, unicasts and subscriptions.
 *
 * @typeParam Events Types of the payloads by the name of the event, as for `websocketHub()`.
 *
 * @example
 * ```ts ignore
 * import { fakeHub, testContext } from "@enoki/enoki/testing";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const hub = fakeHub<{ said: string }>();
 * await chat.handlers.say(testContext(chat, { hub }), "socket-1", "lobby", "Hello");
 * deepStrictEqual(hub.broadcasts, [{ channel: "lobby", event: "said", data: "Hello" }]);
 * ```
 */
// deno-lint-ignore no-explicit-any -- without a list of events, all names and payloads are allowed
export function fakeHub<Events extends object = Record<string, any>>(
  { sockets }: FakeHubOptions = {},
): FakeHub<Events> {
  const broadcasts: Broadcast<Events>[] = [];
  const unicasts: Unicast<Events>[] = [];
  const channels = new Map<string, Set<string>>();
  const known = sockets === undefined ? undefined : new Set(sockets);
  const isThere = (socketId: string) => known?.has(socketId) ?? true;
  return {
    broadcasts,
    unicasts,
    channels,
    // deno-lint-ignore require-await -- an error must become a rejection
    async subscribe(socketId, channel) {
      if (!isThere(socketId)) throw new ConnectionNotFoundError(socketId);
      const members = channels.get(channel) ?? new Set();
      channels.set(channel, members.add(socketId));
    },
    unsubscribe(socketId, channel) {
      const members = channels.get(channel);
      if (members?.delete(socketId) && members.size === 0) channels.delete(channel);
      return Promise.resolve();
    },
    subscriptions(socketId) {
      const own = [...channels].filter(([, members]) => members.has(socketId)).map(([channel]) => channel);
      return Promise.resolve(own.sort());
    },
    broadcast(channel, event, data) {
      broadcasts.push({ channel, event, data } as Broadcast<Events>);
      return Promise.resolve();
    },
    unicast(socketId, event, data) {
      unicasts.push({ socketId, event, data } as Unicast<Events>);
      return Promise.resolve(isThere(socketId));
    },
  };
}
