import type { Section, SettingTable } from "../../runtime/config/section.ts";

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

/** The settings that this file reads. */
export const WEBSOCKET_SETTINGS: SettingTable = {
  WEBSOCKET_MAX_MESSAGE: { kind: "number", default: 1_048_576, about: "bytes that a message may have" },
  WEBSOCKET_MAX_QUEUE: { kind: "number", default: 100, about: "requests of a client that may wait" },
  WEBSOCKET_MAX_BUFFER: { kind: "number", default: 1_048_576, about: "bytes that may wait for a client" },
  WEBSOCKET_MAX_CLIENTS: { kind: "number", default: 10_000, about: "clients at the same time" },
  WEBSOCKET_IDLE_TIMEOUT: {
    kind: "duration",
    default: "30s",
    about: "when a silent client is given up; 0 for never",
  },
  WEBSOCKET_ORIGINS: { kind: "list", about: "origins whose pages may connect, beside the own one" },
  WEBSOCKET_TRUST_PROXY: { kind: "flag", default: false, about: "whether x-forwarded-proto counts" },
};
