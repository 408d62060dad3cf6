import { type ListenAddress, parseListenAddress } from "./listening/listen_address.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import { isRecord } from "../../runtime/message/plain.ts";
import { type ContextHeaders, USUAL_CONTEXT_HEADERS } from "./request/context_headers.ts";
import { isAllowedHost } from "./request/allowed_hosts.ts";
import type { Section, SettingTable } from "../../runtime/config/section.ts";

/** Says from which origins a page may read HTTP responses. */
export interface CrossOriginSettings {
  /** Origins such as `https://shop.example`, or `*` for all. */
  readonly origins: readonly string[];
  /** Whether a page may send cookies with its requests. Never true together with the origin `*`. */
  readonly credentials: boolean;
  /** Request headers that a page may send. @default {the headers that the page asks for} */
  readonly headers: readonly string[] | undefined;
  /** Response headers that the page may read. */
  readonly expose: readonly string[];
  /** Milliseconds that a browser may remember the answer to a preflight request. */
  readonly maxAge: number;
}

/** A document that describes all services. */
export interface DocumentSettings {
  /** Path at which the server offers the document. */
  readonly path: string;
  /** Title of the document. @default {names of the services} */
  readonly title: string | undefined;
  readonly version: string | undefined;
  /** URLs of the services, or of the broker. @default {OpenAPI: where the document was requested from; AsyncAPI: none} */
  readonly servers: readonly string[] | undefined;
}

/** Settings of the HTTP server that all services share. */
export interface HttpSettings {
  readonly address: ListenAddress;
  /** Hosts that requests may be for, as {@linkcode isAllowedHost} takes them. Undefined for all hosts. */
  readonly hosts: readonly string[] | undefined;
  /** Bytes that the body of a request may have. */
  readonly maxBody: number;
  /** Request headers that become context data; undefined for none. */
  readonly contextHeaders: ContextHeaders | undefined;
  /**
   * Milliseconds that a client may stand still in the middle of a body: the body of its request, or
   * that of its response.
   */
  readonly stallTimeout: number;
  /** Bytes that large bodies may have together while they wait for slow clients. */
  readonly maxHeld: number;
  /** Paths of the PEM files with the certificate and its private key. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly cors: CrossOriginSettings | undefined;
  /** Whether the server answers `/healthz` and `/readyz`. */
  readonly health: boolean;
  /** The document of the HTTP entrypoints. Undefined if the server does not offer it. */
  readonly openapi: DocumentSettings | undefined;
  /** The document of what goes through the broker. Undefined if the server does not offer it. */
  readonly asyncapi: DocumentSettings | undefined;
  /** Path of the page that shows the documents. Undefined if the server does not offer it. */
  readonly docs: string | undefined;
}

const DOCUMENT_PATH = /^\/[\w.~/-]+$/;
const DOCS_PATH = /^(?:\/[\w.~-]+)+$/;

/**
 * Reads `WEB_SERVER_ADDRESS` and the keys that begin with `HTTP_`.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take.
 */
export function httpSettings(at: Section): HttpSettings {
  const tls = at.section("HTTP_TLS");
  const [cert, key] = [tls?.text("cert"), tls?.text("key")];
  if (tls !== undefined && (cert === undefined || key === undefined)) {
    return at.refuse("HTTP_TLS", "a mapping with cert and key, paths of PEM files");
  }
  const port = at.get("WEB_SERVER_ADDRESS");
  const address = parseListenAddress(
    typeof port === "number" ? String(port) : at.text("WEB_SERVER_ADDRESS") ?? "0.0.0.0:8000",
  );
  if ("path" in address && tls !== undefined) {
    throw new ConfigurationError(
      `Cannot serve HTTP_TLS on unix:${address.path}: a Unix socket cannot use TLS. ` +
        "Remove HTTP_TLS, or listen on a port",
    );
  }
  const stall = at.milliseconds("HTTP_STALL_TIMEOUT") ?? 60_000;
  return {
    address,
    hosts: hosts(at),
    maxBody: at.integer("HTTP_MAX_BODY", 0) ?? 10 * 1024 * 1024,
    contextHeaders: contextHeaders(at),
    stallTimeout: stall === 0 ? Infinity : stall,
    maxHeld: at.integer("HTTP_MAX_HELD", 0) ?? 256 * 1024 * 1024,
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
    cors: crossOrigin(at),
    health: at.flag("HTTP_HEALTH") ?? true,
    ...documents(at),
  };
}

function hosts(at: Section): readonly string[] | undefined {
  const value = at.get("HTTP_HOSTS");
  if (value === undefined || value === "*") return undefined;
  const list = typeof value === "string" ? [value] : at.texts("HTTP_HOSTS")!;
  if (list.length > 0 && list.every(isAllowedHost)) return list;
  return at.refuse("HTTP_HOSTS", "hosts, such as api.example.org, *.example.org, localhost:8000 or [::1]");
}

function documents(at: Section): Pick<HttpSettings, "openapi" | "asyncapi" | "docs"> {
  const usual = "/openapi.json";
  const openapi = document(at, "HTTP_OPENAPI", usual);
  const asyncapi = asyncApi(at);
  const docs = at.get("HTTP_DOCS");
  if (docs === undefined || docs === false) return { openapi, asyncapi, docs: undefined };
  const path = docs === true ? "/docs" : at.text("HTTP_DOCS", DOCS_PATH, "true, or a path such as /docs");
  if (at.get("HTTP_OPENAPI") === false) {
    return at.refuse("HTTP_DOCS", "a document to show. Leave HTTP_OPENAPI: false out");
  }
  const shown = openapi ?? { path: usual, title: undefined, version: undefined, servers: undefined };
  return { openapi: shown, asyncapi, docs: path };
}

function document(at: Section, key: string, usual: string): DocumentSettings | undefined {
  const value = at.get(key);
  if (value === undefined || value === false) return undefined;
  const defaults = { path: usual, title: undefined, version: undefined, servers: undefined };
  if (value === true) return defaults;
  const isPath = typeof value === "string";
  if (!isPath && !isRecord(value)) return at.refuse(key, "true, a path, or a mapping with path");
  const options = isPath ? undefined : at.section(key);
  const expected = `a path such as ${usual}`;
  const path = isPath
    ? at.text(key, DOCUMENT_PATH, expected)
    : options?.text("path", DOCUMENT_PATH, expected);
  return {
    path: path ?? defaults.path,
    title: options?.text("title"),
    version: options?.text("version", /./, 'text, in quotes where it looks like a number: "1.0"'),
    servers: options?.texts("servers"),
  };
}

function asyncApi(at: Section): DocumentSettings | undefined {
  const settings = document(at, "HTTP_ASYNCAPI", "/asyncapi.json");
  const isBroker = (uri: string) => URL.canParse(uri) && new URL(uri).host !== "";
  if (settings?.servers?.every(isBroker) ?? true) return settings;
  return at.section("HTTP_ASYNCAPI")!.refuse("servers", "URIs such as amqp://broker.example.org/shop");
}

function crossOrigin(at: Section): CrossOriginSettings | undefined {
  const value = at.get("HTTP_CORS");
  if (value === undefined || value === false) return undefined;
  const defaults = { credentials: false, headers: undefined, expose: [], maxAge: 600_000 };
  if (typeof value === "string") return { ...defaults, origins: [value] };
  if (Array.isArray(value)) return { ...defaults, origins: at.texts("HTTP_CORS")! };
  const cors = isRecord(value) ? at.section("HTTP_CORS") : undefined;
  const origins = cors?.get("origins");
  if (cors === undefined || origins === undefined) {
    return at.refuse("HTTP_CORS", "an origin, a list of origins, or a mapping with origins");
  }
  const list = typeof origins === "string" ? [origins] : cors.texts("origins")!;
  const credentials = cors.flag("credentials") ?? defaults.credentials;
  if (credentials && list.includes("*")) {
    return cors.refuse(
      "origins",
      "a list of trusted origins: with credentials, * would trust every page",
    );
  }
  return {
    origins: list,
    credentials,
    headers: cors.texts("headers"),
    expose: cors.texts("expose") ?? defaults.expose,
    maxAge: cors.milliseconds("max_age") ?? defaults.maxAge,
  };
}

/** Reads `HTTP_CONTEXT`: true for the usual headers, or headers by the key of the context data that they become. */
function contextHeaders(at: Section): ContextHeaders | undefined {
  const value = at.get("HTTP_CONTEXT");
  if (value === undefined || value === false) return undefined;
  if (value === true) return USUAL_CONTEXT_HEADERS;
  if (
    isRecord(value) && Object.values(value).every((name) => typeof name === "string" && HEADER.test(name))
  ) {
    return Object.fromEntries(
      Object.entries(value).map(([key, name]) => [key, (name as string).toLowerCase()]),
    );
  }
  return at.refuse("HTTP_CONTEXT", "true, or names of headers by the key of the context data");
}

const HEADER = /^[\w!#$%&'*+.^`|~-]+$/;

/** The settings that this file reads. */
export const HTTP_SETTINGS: SettingTable = {
  WEB_SERVER_ADDRESS: {
    kind: "text",
    default: "0.0.0.0:8000",
    about: "where HTTP is served: [host:]port or unix:/path",
  },
  HTTP_TLS: { kind: "mapping", about: "files of the certificate and of its key" },
  "HTTP_TLS.cert": { kind: "text", about: "file of the certificate" },
  "HTTP_TLS.key": { kind: "text", about: "file of its key" },
  HTTP_STALL_TIMEOUT: {
    kind: "duration",
    default: "1m",
    about: "how long a client may take without progress; 0 for ever",
  },
  HTTP_HOSTS: { kind: "list", default: "*", about: "hosts that requests may name" },
  HTTP_MAX_BODY: { kind: "number", default: 10_485_760, about: "bytes that the body of a request may have" },
  HTTP_MAX_HELD: { kind: "number", default: 268_435_456, about: "bytes that all requests may hold together" },
  HTTP_CONTEXT: { kind: "mapping", default: false, about: "headers that become context data" },
  HTTP_HEALTH: { kind: "flag", default: true, about: "whether /healthz and /readyz are answered" },
  HTTP_CORS: { kind: "mapping", default: false, about: "origins whose pages may call" },
  "HTTP_CORS.origins": { kind: "list", about: "the origins" },
  "HTTP_CORS.credentials": { kind: "flag", default: false, about: "whether cookies come along" },
  "HTTP_CORS.headers": { kind: "list", about: "headers that requests may have (all)" },
  "HTTP_CORS.expose": { kind: "list", about: "headers that pages see" },
  "HTTP_CORS.max_age": { kind: "duration", default: "10m", about: "how long browsers remember that" },
  HTTP_OPENAPI: {
    kind: "mapping",
    default: false,
    about: "whether the document of the routes is served, and where",
  },
  "HTTP_OPENAPI.path": { kind: "text", default: "/openapi.json", about: "its path" },
  "HTTP_OPENAPI.title": { kind: "text", about: "its title" },
  "HTTP_OPENAPI.version": { kind: "text", about: "its version" },
  HTTP_ASYNCAPI: {
    kind: "mapping",
    default: false,
    about: "whether the document of events and calls is served, and where",
  },
  "HTTP_ASYNCAPI.path": { kind: "text", default: "/asyncapi.json", about: "its path" },
  "HTTP_ASYNCAPI.title": { kind: "text", about: "its title" },
  "HTTP_ASYNCAPI.version": { kind: "text", about: "its version" },
  "HTTP_ASYNCAPI.servers": { kind: "list", about: "URIs of the brokers" },
  "HTTP_OPENAPI.servers": { kind: "list", about: "URLs of the servers" },
  HTTP_DOCS: {
    kind: "text",
    default: false,
    about: "whether a page shows the documents, and its path (/docs)",
  },
};
