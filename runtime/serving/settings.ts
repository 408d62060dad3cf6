/**
 * The keys of the configuration that the runtime itself understands, checked and with their defaults.
 *
 * Null counts as absent everywhere, since a reference to an unset variable is null. Seconds become milliseconds
 * here and nowhere else.
 */
import { type Config, isMapping } from "../config/file.ts";
import { Section } from "../config/section.ts";
import type { ConfigValue } from "../config/yaml.ts";
import type { ModuleFetcherOptions } from "../module/fetch/fetcher.ts";
import { moduleOptions } from "../module/fetch/settings.ts";
import { checkPermissions, type ServicePermissions } from "../permissions/permissions.ts";
import type { PoolLimits } from "../pool/pool_options.ts";
import { webSocketOptions, type WebSocketServerOptions } from "../../extensions/websocket/settings.ts";

/** TLS towards the broker. */
export interface BrokerTlsOptions {
  /** Path of the authorities' certificates. */
  readonly caCerts?: string;
  /** Path of the client's certificate. */
  readonly certfile?: string;
  /** Path of the client's private key. */
  readonly keyfile?: string;
  /** Whether the broker must show a good certificate. @default {true} */
  readonly verify: boolean;
  /** Name expected in the broker's certificate. @default {the host of the URI} */
  readonly serverName?: string;
}

/** Reconnecting to the broker, as Kombu's `TRANSPORT_OPTIONS`. Durations in milliseconds. */
export interface ReconnectOptions {
  readonly maxRetries: number;
  readonly intervalStart: number;
  readonly intervalStep: number;
  readonly intervalMax: number;
}

/** Pages of which origins may read HTTP responses. */
export interface CrossOriginOptions {
  /** Origins such as `https://shop.example`, or `*` for all. */
  readonly origins: readonly string[];
  /** Whether cookies may be sent along; never with `*`. */
  readonly credentials: boolean;
  /** Headers that may be sent. @default {those asked for} */
  readonly headers: readonly string[] | undefined;
  /** Response headers that the page may read. */
  readonly expose: readonly string[];
  /** Milliseconds that a browser may remember the answer. */
  readonly maxAge: number;
}

/** The OpenAPI document of all services. */
export interface OpenApiOptions {
  /** Where it is served. */
  readonly path: string;
  /** @default {names of the services} */
  readonly title: string | undefined;
  readonly version: string | undefined;
  /** URLs that the services are served at. @default {where the document was asked for} */
  readonly servers: readonly string[] | undefined;
}

/** The HTTP server that all services share. */
export interface HttpServerOptions {
  /** `[host:]port` or `unix:/path`. */
  readonly address: string;
  /** Bytes that the body of a request may have. */
  readonly maxBody: number;
  /** Milliseconds that a client may stand still in the middle of a body, its own or that of its response. */
  readonly stallTimeout: number;
  /** Bytes of large bodies that may wait for slow clients, all together. */
  readonly maxHeld: number;
  /** Paths of a certificate and its private key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly cors: CrossOriginOptions | undefined;
  /** Whether there are `/healthz` and `/readyz`. */
  readonly health: boolean;
  /** Undefined where the document is not served. */
  readonly openapi: OpenApiOptions | undefined;
}

/** What can be set for each service. */
export interface ServiceOptions {
  /** Threads, at least 1. */
  readonly maxWorkers: number;
  /** Calls that one thread runs at a time, at least 1. */
  readonly concurrency: number;
  /** Milliseconds that an outgoing call waits for its answer. */
  readonly callTimeout: number;
  readonly permissions: ServicePermissions;
  /** The limits of its threads that are set. */
  readonly limits: ThreadLimits;
}

/** Limits of threads beside their number; what is not set has the default of {@linkcode PoolLimits}. */
export type ThreadLimits = Partial<Omit<PoolLimits, "maxWorkers" | "concurrency">> & {
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit?: number;
};

/** The configuration's keys for limits that are durations, in seconds there. */
export const DURATION_LIMITS = {
  idleTimeout: "idle_timeout",
  loadTimeout: "load_timeout",
  stallTimeout: "stall_timeout",
  killGrace: "kill_grace",
  stopTimeout: "stop_timeout",
} as const satisfies Partial<Record<keyof ThreadLimits, string>>;

/** The configuration's keys for limits that are numbers. */
export const NUMBER_LIMITS = {
  minWorkers: "min_workers",
  heapLimit: "heap_limit",
} as const satisfies Partial<Record<keyof ThreadLimits, string>>;

/** Mebibytes; with much less, V8 gives up before there is a thread to end, and the process with it. */
const LEAST_HEAP = 16;

/** The keys that a service may have; one that is unknown could be the one that was to take a permission away. */
const SERVICE_KEYS: readonly string[] = [
  ...["max_workers", "concurrency", "call_timeout", "permissions"],
  ...Object.values(DURATION_LIMITS),
  ...Object.values(NUMBER_LIMITS),
];

/** The known keys of a configuration. Durations in milliseconds. */
export interface RuntimeOptions extends ServiceOptions {
  readonly amqpUri: string | undefined;
  /** `memory:`, `local:`, `local:NAME` or the URI of a broker. */
  readonly transport: string | undefined;
  readonly http: HttpServerOptions;
  readonly websocket: WebSocketServerOptions;
  readonly rpcExchange: string;
  /** Length of the call stack without the call itself; negative as Nameko slices it. */
  readonly parentCallsTracked: number;
  /** Zero turns heartbeats off. */
  readonly heartbeat: number;
  readonly serializer: string;
  readonly accept: readonly string[];
  readonly loginMethod: string | undefined;
  readonly amqpSsl: BrokerTlsOptions | undefined;
  readonly transportOptions: ReconnectOptions;
  readonly autoDeleteEventExchanges: boolean;
  readonly declareEventExchanges: boolean;
  readonly logging: Config | undefined;
  /** Loading of modules from URLs. */
  readonly modules: ModuleFetcherOptions;
  /** Time that a polite stop may take. */
  readonly grace: number;
  /** Only the services that have settings of their own; ask {@linkcode serviceOptions}. */
  readonly services: ReadonlyMap<string, ServiceOptions>;
}

const TRANSPORT = /^(?:memory:|local:.*|(?:py)?amqps?:\/\/.*)$/;
const OPENAPI_PATH = /^\/[\w.~/-]+$/;
const OPENAPI_PATH_EXPECTED = "a path such as /openapi.json";
const VERIFY = new Map<ConfigValue, boolean>([
  [0, false],
  [1, true],
  [2, true],
  ["CERT_NONE", false],
  ["CERT_OPTIONAL", true],
  ["CERT_REQUIRED", true],
]);

/**
 * Reads the known keys, filling in defaults; unknown keys are nobody's fault, but for those of a service.
 *
 * @throws {ConfigurationError} If a value is not what its key takes.
 */
export function runtimeOptions(config: Config): RuntimeOptions {
  const at = new Section(config, "");
  const shared = sharedOptions(at, {
    maxWorkers: 10,
    concurrency: 1,
    callTimeout: 30_000,
    permissions: "none",
    limits: {},
  });
  const services = at.section("services");
  const only = "json: what else is to be read or written, a service names by itself";
  const serializer = at.text("serializer", /^json$/, only) ?? "json";
  const accept = at.texts("ACCEPT") ?? [serializer];
  if (!accept.includes("json")) return at.refuse("ACCEPT", "a list with json in it");
  return {
    ...shared,
    amqpUri: at.text("AMQP_URI"),
    transport: at.text("TRANSPORT", TRANSPORT, "memory:, local:, local:NAME or an amqp:// URI"),
    http: httpServer(at),
    websocket: webSocketOptions(at),
    rpcExchange: at.text("rpc_exchange") ?? "nameko-rpc",
    parentCallsTracked: at.integer("parent_calls_tracked") ?? 10,
    heartbeat: at.milliseconds("HEARTBEAT") ?? 60_000,
    serializer,
    accept,
    loginMethod: at.text("LOGIN_METHOD"),
    amqpSsl: brokerTls(at),
    transportOptions: reconnect(at.section("TRANSPORT_OPTIONS")),
    autoDeleteEventExchanges: at.flag("AUTO_DELETE_EVENT_EXCHANGES") ?? false,
    declareEventExchanges: at.flag("DECLARE_EVENT_EXCHANGES") ?? true,
    logging: at.section("LOGGING")?.values,
    modules: moduleOptions(at.section("modules")),
    grace: at.milliseconds("grace") ?? 30_000,
    services: new Map(
      Object.keys(services?.values ?? {}).map((name) => {
        const own = services!.section(name);
        return [name, own === undefined ? shared : ownOptions(own, shared)];
      }),
    ),
  };
}

/** The options of one service: its own settings, or else those of the process. */
export function serviceOptions(options: RuntimeOptions, service: string): ServiceOptions {
  const { maxWorkers, concurrency, callTimeout, permissions, limits } = options.services.get(service) ??
    options;
  return { maxWorkers, concurrency, callTimeout, permissions, limits };
}

/** The keys, with their places, of services that are not among these. */
export function settingsOfOthers(config: Config, services: Iterable<string>): readonly string[] {
  const known = new Set(services);
  const at = new Section(config, "").section("services");
  return Object.keys(at?.values ?? {}).filter((name) => !known.has(name)).map((name) => at!.describe(name));
}

function ownOptions(at: Section, shared: ServiceOptions): ServiceOptions {
  const unknown = Object.keys(at.values).find((key) => !SERVICE_KEYS.includes(key));
  if (unknown === undefined) return sharedOptions(at, shared);
  return at.refuse(unknown, `nothing: the keys here are ${SERVICE_KEYS.join(", ")}`);
}

function sharedOptions(at: Section, defaults: ServiceOptions): ServiceOptions {
  return {
    // Nameko takes a zero as "not set" here, and only here.
    maxWorkers: at.integer("max_workers", 0) || defaults.maxWorkers,
    concurrency: at.integer("concurrency", 1) ?? defaults.concurrency,
    callTimeout: at.milliseconds("call_timeout") ?? defaults.callTimeout,
    permissions: permissions(at) ?? defaults.permissions,
    limits: { ...defaults.limits, ...threadLimits(at) },
  };
}

function threadLimits(at: Section): ThreadLimits {
  const limits: Record<string, number> = {};
  for (const [name, key] of Object.entries(DURATION_LIMITS)) {
    const value = at.milliseconds(key);
    if (value !== undefined) limits[name] = value;
  }
  for (const [name, key] of Object.entries(NUMBER_LIMITS)) {
    const value = at.integer(key, name === "heapLimit" ? LEAST_HEAP : 1);
    if (value !== undefined) limits[name] = value;
  }
  return limits;
}

function permissions(at: Section): ServicePermissions | undefined {
  const value = at.get("permissions");
  return value === undefined
    ? undefined
    : checkPermissions(value, (name) => at.describe("permissions", name));
}

function brokerTls(at: Section): BrokerTlsOptions | undefined {
  const value = at.get("AMQP_SSL");
  if (value === undefined || value === false) return undefined;
  if (value === true) return { verify: true };
  const known = ["ca_certs", "certfile", "keyfile", "cert_reqs", "server_hostname"];
  const expected = `true or a mapping with ${known.join(", ")}`;
  if (!isMapping(value)) return at.refuse("AMQP_SSL", expected);
  const ssl = at.section("AMQP_SSL")!;
  // An option that is ignored in silence could be the one that makes the connection safe.
  if (Object.keys(value).some((key) => !known.includes(key))) return at.refuse("AMQP_SSL", expected);
  const required = ssl.get("cert_reqs") ?? "CERT_REQUIRED";
  const verify = VERIFY.get(required);
  if (verify === undefined) return ssl.refuse("cert_reqs", "CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED");
  const [caCerts, certfile, keyfile] = [ssl.text("ca_certs"), ssl.text("certfile"), ssl.text("keyfile")];
  const serverName = ssl.text("server_hostname");
  return {
    verify,
    ...(caCerts !== undefined && { caCerts }),
    ...(certfile !== undefined && { certfile }),
    ...(keyfile !== undefined && { keyfile }),
    ...(serverName !== undefined && { serverName }),
  };
}

function httpServer(at: Section): HttpServerOptions {
  const tls = at.section("HTTP_TLS");
  const [cert, key] = [tls?.text("cert"), tls?.text("key")];
  if (tls !== undefined && (cert === undefined || key === undefined)) {
    return at.refuse("HTTP_TLS", "a mapping with cert and key, paths of PEM files");
  }
  const port = at.get("WEB_SERVER_ADDRESS");
  const stall = at.milliseconds("HTTP_STALL_TIMEOUT") ?? 60_000;
  return {
    address: typeof port === "number" ? String(port) : at.text("WEB_SERVER_ADDRESS") ?? "0.0.0.0:8000",
    maxBody: at.integer("HTTP_MAX_BODY", 0) ?? 10 * 1024 * 1024,
    stallTimeout: stall === 0 ? Infinity : stall,
    maxHeld: at.integer("HTTP_MAX_HELD", 0) ?? 256 * 1024 * 1024,
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
    cors: crossOrigin(at),
    health: at.flag("HTTP_HEALTH") ?? true,
    openapi: openApi(at),
  };
}

function openApi(at: Section): OpenApiOptions | undefined {
  const value = at.get("HTTP_OPENAPI");
  if (value === undefined || value === false) return undefined;
  const defaults = { path: "/openapi.json", title: undefined, version: undefined, servers: undefined };
  if (value === true) return defaults;
  const isPath = typeof value === "string";
  if (!isPath && !isMapping(value)) return at.refuse("HTTP_OPENAPI", "true, a path, or a mapping with path");
  const options = isPath ? undefined : at.section("HTTP_OPENAPI");
  const path = isPath
    ? at.text("HTTP_OPENAPI", OPENAPI_PATH, OPENAPI_PATH_EXPECTED)
    : options?.text("path", OPENAPI_PATH, OPENAPI_PATH_EXPECTED);
  return {
    path: path ?? defaults.path,
    title: options?.text("title"),
    version: options?.text("version", /./, 'text, in quotes where it looks like a number: "1.0"'),
    servers: options?.texts("servers"),
  };
}

function crossOrigin(at: Section): CrossOriginOptions | undefined {
  const value = at.get("HTTP_CORS");
  if (value === undefined || value === false) return undefined;
  const defaults = { credentials: false, headers: undefined, expose: [], maxAge: 600_000 };
  if (typeof value === "string") return { ...defaults, origins: [value] };
  if (Array.isArray(value)) return { ...defaults, origins: at.texts("HTTP_CORS")! };
  const cors = isMapping(value) ? at.section("HTTP_CORS") : undefined;
  const origins = cors?.get("origins");
  if (cors === undefined || origins === undefined) {
    return at.refuse("HTTP_CORS", "an origin, a list of them, or a mapping with origins");
  }
  const list = typeof origins === "string" ? [origins] : cors.texts("origins")!;
  const credentials = cors.flag("credentials") ?? defaults.credentials;
  if (credentials && list.includes("*")) {
    return cors.refuse(
      "origins",
      "the origins that are trusted: with credentials, * would be every page there is",
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

function reconnect(at: Section | undefined): ReconnectOptions {
  return {
    maxRetries: at?.integer("max_retries", 0) ?? 3,
    intervalStart: at?.milliseconds("interval_start") ?? 2_000,
    intervalStep: at?.milliseconds("interval_step") ?? 1_000,
    intervalMax: at?.milliseconds("interval_max") ?? 5_000,
  };
}
