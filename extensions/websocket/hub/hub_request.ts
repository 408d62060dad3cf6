/**
 * What threads ask the hub of the main thread, in the form of a {@linkcode Request} that a messenger takes.
 *
 * The hub's address has white space in it, as no service's name can have. The body is a frame that is complete:
 * the main thread passes it on and reads none of it.
 */

/** The service that the hub's messages go to. */
export const HUB_ADDRESS = "websocket hub";

/** What can be asked; the keys of the headers stand beside it. */
export type HubMethod =
  /** Headers `socket` and `channel`; answers whether there is such a socket. */
  | "subscribe"
  /** The same. */
  | "unsubscribe"
  /** Header `socket`; answers a list of channels. */
  | "subscriptions"
  /** Header `channel`. */
  | "broadcast"
  /** Header `socket`; answers whether there is such a socket. */
  | "unicast";
