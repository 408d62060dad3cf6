import type { Section } from "../../runtime/config/section.ts";

/** WebSockets of all services. */
export interface WebSocketSettings {
  /** Bytes that a message of a client may have. */
  readonly maxMessage: number;
  /** Requests of one client that may wait while another of its own runs. */
  readonly maxQueue: number;
  /** Bytes that may wait for one client to read them, or of its requests to be run. */
  readonly maxBuffer: number;
  /** Clients at a time. */
  readonly maxClients: number;
  /** Milliseconds after which a silent client is given up; it is pinged after half of them. Zero is never. */
  readonly idleTimeout: number;
  /** Origins whose pages may connect beside the server's own, or `*` for all. */
  readonly origins: readonly string[];
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
  };
}

function origins(at: Section): readonly string[] {
  const value = at.get("WEBSOCKET_ORIGINS");
  return typeof value === "string" ? [value] : at.texts("WEBSOCKET_ORIGINS") ?? [];
}
