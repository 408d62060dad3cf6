import type { Duration } from "../../runtime/waiting/duration.ts";
import type { Section, SettingTable } from "../../runtime/config/section.ts";

/** Limits for the connections of one stream. */
export interface StreamLimits {
  /** Connections at the same time. Further ones are closed at once. */
  readonly maxConnections: number;
  /** Bytes that a line may have, without its end. */
  readonly maxLine: number;
  /** Bytes that a frame with a length before it may have. */
  readonly maxFrame: number;
  /** Bytes that the peer of a connection may leave unread. */
  readonly maxBuffer: number;
  /** Milliseconds without traffic after which a connection ends; 0 is for ever. */
  readonly idleTimeout: number;
}

/** Limits as an author writes them. */
export type StreamLimitOptions = Partial<Omit<StreamLimits, "idleTimeout">> & {
  /** Milliseconds without traffic after which a connection ends; 0 is for ever. @default {600_000} */
  readonly idleTimeout?: Duration;
};

/** Paths of the PEM files that `tls://` listeners use. */
export interface StreamTls {
  readonly cert: string;
  readonly key: string;
  /** The authority that must have signed the certificates of clients. @default {clients need none} */
  readonly clientCa: string | undefined;
}

/** Settings for the streams of all services. */
export interface StreamSettings extends StreamLimits {
  readonly tls: StreamTls | undefined;
  /** Permissions of the files of Unix sockets. @default {those that the process's umask leaves} */
  readonly socketMode: number | undefined;
}

/** The limits of a stream, where neither `stream()` nor the configuration says otherwise. */
export const DEFAULT_LIMITS: StreamLimits = {
  maxConnections: 10_000,
  maxLine: 64 * 1024,
  maxFrame: 1024 * 1024,
  maxBuffer: 1024 * 1024,
  idleTimeout: 600_000,
};

/**
 * Reads the keys that begin with `STREAM_`.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take.
 */
export function streamSettings(at: Section): StreamSettings {
  const tls = at.section("STREAM_TLS");
  const [cert, key] = [tls?.text("cert"), tls?.text("key")];
  const clientCa = tls?.text("client_ca");
  if (tls !== undefined && (cert === undefined || key === undefined)) {
    return at.refuse("STREAM_TLS", "a mapping with cert and key, paths of PEM files");
  }
  const mode = at.text("STREAM_SOCKET_MODE", /^0?[0-7]{3}$/, 'three octal digits in quotes, such as "660"');
  return {
    maxConnections: at.integer("STREAM_MAX_CONNECTIONS", 1) ?? DEFAULT_LIMITS.maxConnections,
    maxLine: at.integer("STREAM_MAX_LINE", 1) ?? DEFAULT_LIMITS.maxLine,
    maxFrame: at.integer("STREAM_MAX_FRAME", 1) ?? DEFAULT_LIMITS.maxFrame,
    maxBuffer: at.integer("STREAM_MAX_BUFFER", 1) ?? DEFAULT_LIMITS.maxBuffer,
    idleTimeout: at.milliseconds("STREAM_IDLE_TIMEOUT") ?? DEFAULT_LIMITS.idleTimeout,
    tls: cert === undefined || key === undefined ? undefined : { cert, key, clientCa },
    socketMode: mode === undefined ? undefined : Number.parseInt(mode, 8),
  };
}

/** The settings that this file reads. */
export const STREAM_SETTINGS: SettingTable = {
  STREAM_TLS: { kind: "mapping", about: "files of TLS for tls:// listeners" },
  "STREAM_TLS.cert": { kind: "text", about: "file of the certificate" },
  "STREAM_TLS.key": { kind: "text", about: "file of its key" },
  "STREAM_TLS.client_ca": { kind: "text", about: "authority of the certificates of clients" },
  STREAM_SOCKET_MODE: { kind: "text", about: "permissions of socket files" },
  STREAM_MAX_CONNECTIONS: { kind: "number", default: 10_000, about: "connections at the same time" },
  STREAM_MAX_LINE: { kind: "number", default: 65_536, about: "bytes of a line" },
  STREAM_MAX_FRAME: { kind: "number", default: 1_048_576, about: "bytes of a frame" },
  STREAM_MAX_BUFFER: { kind: "number", default: 1_048_576, about: "bytes that a peer may leave unread" },
  STREAM_IDLE_TIMEOUT: {
    kind: "duration",
    default: "10m",
    about: "time without traffic after which a connection ends; 0 for ever",
  },
};
