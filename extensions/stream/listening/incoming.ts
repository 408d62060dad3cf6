import type { Duplex } from "../conversation/conversation.ts";

/** A connection that has come in. */
export interface Incoming extends Duplex {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  /** Resolves when both sides have agreed on TLS. Absent without TLS. */
  handshake?(): Promise<unknown>;
}

/** A listening socket. */
export interface OpenListener {
  /** The address, with the port that the system has chosen. */
  readonly address: string;
  /** Resolves with the next connection. Rejects once the listener is closed. */
  accept(): Promise<Incoming>;
  close(): void;
}
