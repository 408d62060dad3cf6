import { Buffer } from "node:buffer";
import type { Section, SettingTable } from "../../runtime/config/section.ts";
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";

/** How a service is connected to its Bayeux server. */
export interface BayeuxSettings {
  readonly server: URL;
  /** The version of the protocol that the client speaks, and the oldest that it takes. */
  readonly version: string;
  readonly minimumVersion: string;
  /** The HTTP header `Authorization` of each request. */
  readonly authorization: string | undefined;
  /** The field `ext` of the handshake and of the subscriptions. */
  readonly ext: PlainRecord | undefined;
  /** Calls that run or wait; the client does not ask for more messages before there are fewer. */
  readonly maxCalls: number | undefined;
  /** Largest number of bytes of one answer of the server. */
  readonly maxResponse: number;
  /** Milliseconds before the second attempt to reach the server. The wait doubles each time. */
  readonly retryInterval: number;
  /** Longest wait before an attempt, in milliseconds. */
  readonly maxRetryInterval: number;
  /** Milliseconds that the server has to answer what it need not hold. */
  readonly timeout: number;
}

/** URI of the server in nameko-bayeux-client. */
const DEFAULT_URI = "http://localhost/cometd";

const VERSION_FORM = 'a version in quotes, such as "1.0"';

/**
 * Reads `BAYEUX`: `SERVER_URI`, `VERSION` and `MINIMUM_VERSION` as nameko-bayeux-client 1.0 has them, and keys of
 * Enoki's own.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take.
 */
export function bayeuxSettings(at: Section): BayeuxSettings {
  const own = at.section("BAYEUX");
  for (const key of ["SERVER_URI", "AUTHORIZATION"]) own?.requireVariables(key);
  const { server, basic } = serverOf(own);
  const ext = own?.get("EXT");
  if (ext !== undefined && !isRecord(ext)) own!.refuse("EXT", "a mapping, which goes into the field ext");
  const settings = {
    server,
    version: own?.text("VERSION", /./, VERSION_FORM) ?? "1.0",
    minimumVersion: own?.text("MINIMUM_VERSION", /./, VERSION_FORM) ?? "1.0",
    authorization: own?.text("AUTHORIZATION", /^[\x20-\x7e]+$/, "a header such as Bearer TOKEN") ??
      basic,
    ext: ext as PlainRecord | undefined,
    maxCalls: own?.integer("MAX_CALLS", 1),
    maxResponse: own?.integer("MAX_RESPONSE", 1) ?? 16 * 1024 * 1024,
    retryInterval: own?.milliseconds("RETRY_INTERVAL") ?? 1_000,
    maxRetryInterval: own?.milliseconds("MAX_RETRY_INTERVAL") ?? 30_000,
    timeout: own?.milliseconds("TIMEOUT") ?? 10_000,
  };
  own?.refuseOthers();
  return settings;
}

/** Takes user and password out of the URI: they become a header, and nothing that is shown has them. */
function serverOf(own: Section | undefined): { readonly server: URL; readonly basic: string | undefined } {
  const text = own?.text("SERVER_URI") ?? DEFAULT_URI;
  const server = URL.parse(text);
  if (server === null || !/^https?:$/.test(server.protocol)) {
    return own!.refuse("SERVER_URI", "a URI such as https://example.com/cometd");
  }
  const { username, password } = server;
  server.username = server.password = server.hash = "";
  if (username === "" && password === "") return { server, basic: undefined };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { server, basic: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** The settings that this file reads. */
export const BAYEUX_SETTINGS: SettingTable = {
  BAYEUX: { kind: "mapping", about: "the Bayeux server" },
  "BAYEUX.SERVER_URI": { kind: "text", default: "http://localhost/cometd", about: "its URI" },
  "BAYEUX.VERSION": { kind: "text", default: "1.0", about: "version of the protocol" },
  "BAYEUX.MINIMUM_VERSION": { kind: "text", default: "1.0", about: "oldest version that is taken" },
  "BAYEUX.AUTHORIZATION": { kind: "text", about: "header Authorization of each request" },
  "BAYEUX.EXT": { kind: "mapping", about: "field ext of the handshake" },
  "BAYEUX.MAX_CALLS": { kind: "number", about: "calls that run or wait" },
  "BAYEUX.MAX_RESPONSE": { kind: "number", default: 16_777_216, about: "bytes of an answer" },
  "BAYEUX.RETRY_INTERVAL": {
    kind: "duration",
    default: "1s",
    about: "wait before the second attempt to connect",
  },
  "BAYEUX.MAX_RETRY_INTERVAL": { kind: "duration", default: "30s", about: "the longest such wait" },
  "BAYEUX.TIMEOUT": { kind: "duration", default: "10s", about: "how long the server may take to answer" },
};
