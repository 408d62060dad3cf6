/**
 * Requests from threads to the connections in the main thread, in the form of a `Request` that a messenger
 * takes.
 *
 * Their address has white space in it, which no service name can have. The body is what is to be written, with
 * its framing.
 */

/** The service name by which requests reach the connections. */
export const CONNECTIONS_ADDRESS = "stream connections";

/** The methods. The comment on each names the keys of its headers, and its answer. */
export type ConnectionMethod =
  /** Headers `connection`, `end` and `reason`, of which the last two may be empty. The answer is the room. */
  | "write"
  /** Headers `stream` and `except`, a list of ids. The answer is empty. */
  | "broadcast"
  /** Header `stream`. The answer is a list of ids, as JSON. */
  | "list";

/** The answer of `write` where there is no such connection any more. */
export const GONE = "-1";
