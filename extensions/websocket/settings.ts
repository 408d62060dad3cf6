import type { Section } from "../../runtime/config/section.ts";

/** Settings for the WebSockets of all services. */
export interface WebSocketSettings {
  /** Bytes that a message from a client may have. */
  readonly maxMessage: number;
  /** Requests of one client that may wait while another request of the same client runs. */
  readonly maxQueue: number;
  /**
   * Bytes that may wait until one client reads them. It is also the limit for requests of one client that
   * wait to run.
   */
  readonly maxBuffer: number;
  /** Clients that may be connected at the same time. */
  readonly maxClients: number;
  /**
   * Milliseconds after which the server gives up a silent client. It pings the client after half of them. 0
   * means never.
   */
  readonly idleTimeout: number;
  /** Origins whose pages may connect, besides the server's own origin, or `*` for all origins. */
  readonly origins: readonly string[];
  /** Whether header `x-forwarded-proto` says by which scheme a page has connected. @default {false} */
  readonly trustProxy?: boolean;
}

/** Reads the keys that begin with `WEBSOCKET_`. */
export function webSocketSettings(at: Section): WebSocketSettings {
  return {
    maxMessage: at.integer("WEBSOCKET_MAX_MESSAGE", 1) ?? 1024 * 1024,
    maxQueue: at.integer("WEBSOCKET_MAX_QUEUE", 1) ?? 100,
    maxBuffer: at.integer("WEBSOCKET_MAX_BUFFER", 1) ?? 1024 * 1024,
    maxClients: at.integer("WEBSOCKET_MAX_CLIENTS", 1) ?? 10_000,
    idleTimeout: at.milliseconds("WEBSOCKET_IDLE_TIMEOUT") ?? 30_000,
    origins: origins(at),
    ...(at.flag("WEBSOCKET_TRUST_PROXY") && { trustProxy: true }),
  };
}

function origins(at: Section): readonly string[] {
  const value = at.get("WEBSOCKET_ORIGINS");
  return typeof value === "string" ? [value] : at.texts("WEBSOCKET_ORIGINS") ?? [];
}
