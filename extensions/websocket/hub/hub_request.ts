/**
 * Requests from threads to the hub in the main thread, in the form of a {@linkcode Request} that a messenger
 * takes.
 *
 * The hub's address has white space in it, which no service name can have. The body is a complete frame: the
 * main thread passes it on and does not read it.
 */

/** The service name by which messages reach the hub. */
export const HUB_ADDRESS = "websocket hub";

/** The methods of the hub. The comment on each method names the keys of its headers. */
export type HubMethod =
  /** Headers `socket` and `channel`. The answer is whether there is such a socket. */
  | "subscribe"
  /** Same headers and same answer as `subscribe`. */
  | "unsubscribe"
  /** Header `socket`. The answer is a list of channels. */
  | "subscriptions"
  /** Header `channel`. */
  | "broadcast"
  /** Header `socket`. The answer is whether there is such a socket. */
  | "unicast";
