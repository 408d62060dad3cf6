/**
 * Reads `REDIS`, the server of all services, and `REDIS_URIS`, servers by name, as nameko-redis has it.
 *
 * Each of them is a URI, a list of the URIs of a cluster, or a mapping with such a `URI` and more.
 */
import { Section, settingsBelow, type SettingTable } from "../../runtime/config/section.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import { isRecord, isTexts, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";
import { parseRedisUri, type RedisAddress, URI_FORM } from "./uri.ts";

/** How to reach one Redis, or one cluster. */
export interface RedisServer {
  /** Where it is; several are nodes of one cluster. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  /** Whether it is a cluster, even if only one of its nodes is named. */
  readonly isCluster: boolean;
  readonly tls: RedisTls | undefined;
  /** Milliseconds that a connection may take. */
  readonly connectTimeout: number;
  /** Key of the configuration that names it, for messages. */
  readonly where: string;
  /** Its URIs without secrets, for messages. */
  readonly shown: string;
}

/** What a connection by TLS uses beside the authorities of the system. A text is the path of a PEM file, or PEM. */
export interface RedisTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Name that the certificate must have. @default {the host of the URI} */
  readonly serverName: string | undefined;
  /** Whether the certificate of the server is verified. */
  readonly verify: boolean;
}

/** The servers that a configuration names. */
export interface RedisSettings {
  /** That of all services which name no other. */
  readonly common: RedisServer | undefined;
  /** Those of `REDIS_URIS`; undefined if there is no such key. */
  readonly named: ReadonlyMap<string, RedisServer> | undefined;
}

/** Milliseconds that a connection may take, where the configuration does not say. */
const CONNECT_TIMEOUT = 5_000;

const FORM = `${URI_FORM}, a list of the URIs of a cluster, or a mapping with URI`;

/** @throws {ConfigurationError} If a key has a value that it does not take. */
export function redisSettings(at: Section): RedisSettings {
  const common = serverAt(at, "REDIS", "REDIS");
  const named = at.section("REDIS_URIS");
  if (named === undefined) return { common, named };
  const servers = Object.keys(named.values).map((name) =>
    [name, serverAt(named, name, `REDIS_URIS.${name}`)] as const
  );
  return { common, named: new Map(servers.flatMap(([name, server]) => server ? [[name, server]] : [])) };
}

/**
 * Gives the server that a service means.
 *
 * @param config The configuration of the service.
 * @param name Name in `REDIS_URIS`. @default {that of the service, else `REDIS`}
 * @param used What uses it, for messages, such as `redis()`.
 * @param cluster Whether it has to be a cluster, or must not be one. @default {either}
 * @throws {ConfigurationError} If the configuration names no such server, or has a wrong value.
 */
export function serverOf(config: PlainRecord, wanted: WantedServer): RedisServer {
  const { service, used, cluster } = wanted;
  const server = namedServer(redisSettings(new Section(config)), wanted);
  if (cluster === undefined || cluster === server.isCluster) return server;
  const fault = `Cannot use ${used} in "${service}": ${server.where} of the configuration names`;
  throw new ConfigurationError(
    server.isCluster
      ? `${fault} a cluster. Declare redis({ cluster: true })`
      : `${fault} one Redis. List the URIs of several nodes there, or write { URI: …, CLUSTER: true }`,
  );
}

/** Which server a service means. */
export interface WantedServer {
  readonly service: string;
  readonly name?: string | undefined;
  readonly used: string;
  readonly cluster?: boolean;
}

function namedServer({ common, named }: RedisSettings, { service, name, used }: WantedServer): RedisServer {
  const own = named?.get(name ?? service);
  const server = own ?? (name === undefined || named === undefined ? common : undefined);
  if (server !== undefined) return server;
  const fault = `Cannot use ${used} in "${service}": the configuration`;
  if (name === undefined) {
    const others = named === undefined ? "" : `, and REDIS_URIS has no "${service}"`;
    throw new ConfigurationError(`${fault} has no REDIS${others}. Add REDIS: redis://127.0.0.1:6379`);
  }
  const known = named === undefined
    ? "which is not there"
    : `which has ${[...named.keys()].join(", ") || "none"}`;
  throw new ConfigurationError(
    `${fault} has no "${name}" in REDIS_URIS, ${known}. Add REDIS_URIS: { ${name}: redis://127.0.0.1:6379 }`,
  );
}

function serverAt(at: Section, key: string, where: string): RedisServer | undefined {
  const value = at.get(key);
  at.requireVariables(key);
  if (value === undefined) return undefined;
  if (!isRecord(value)) return server(at, key, value, { where });
  const own = at.section(key)!;
  const uri = own.get("URI");
  if (uri === undefined) return at.refuse(key, FORM);
  const connectTimeout = own.milliseconds("CONNECT_TIMEOUT", 1);
  const isCluster = own.flag("CLUSTER");
  const ssl = own.section("SSL");
  const found = server(own, "URI", uri, { where, isCluster, connectTimeout, ssl });
  if (ssl !== undefined && !found.addresses[0].secure) return own.refuse("SSL", "rediss:// in URI");
  ssl?.refuseOthers();
  own.refuseOthers();
  return found;
}

interface ServerFacts {
  readonly where: string;
  readonly isCluster?: boolean | undefined;
  readonly connectTimeout?: number | undefined;
  readonly ssl?: Section | undefined;
}

function server(at: Section, key: string, uris: Plain, facts: ServerFacts): RedisServer {
  const { where, isCluster, connectTimeout = CONNECT_TIMEOUT, ssl } = facts;
  const texts = typeof uris === "string" ? uris.split(/[\s,]+(?=rediss?:)/) : uris;
  if (!isTexts(texts) || texts.length === 0) return at.refuse(key, FORM);
  const addresses = texts.map((text) => {
    const address = parseRedisUri(text);
    return typeof address === "string" ? at.refuse(key, `${FORM}: ${address}`) : address;
  });
  const [first, ...others] = addresses as [RedisAddress, ...RedisAddress[]];
  const cluster = isCluster ?? others.length > 0;
  if (others.length > 0 && !cluster) return at.refuse(key, "one URI where CLUSTER is false");
  if (others.some(({ secure }) => secure !== first.secure)) {
    return at.refuse(key, "redis:// in all URIs, or rediss:// in all");
  }
  if (cluster && addresses.some(({ database }) => database !== 0)) {
    return at.refuse(key, "no number of a database: a cluster has only the database 0");
  }
  return {
    addresses: [first, ...others],
    isCluster: cluster,
    tls: first.secure ? tlsOf(ssl ?? new Section(first.ssl)) : undefined,
    connectTimeout,
    where,
    shown: addresses.map(({ shown }) => shown).join(", "),
  };
}

/** Reads what `AMQP_SSL` takes as well. */
function tlsOf(ssl: Section): RedisTls {
  const required = ssl.text("cert_reqs", /^(?:CERT_)?(?:REQUIRED|NONE)$/i, "CERT_REQUIRED or CERT_NONE");
  return {
    ca: ssl.text("ca_certs"),
    cert: ssl.text("certfile"),
    key: ssl.text("keyfile"),
    serverName: ssl.text("server_hostname"),
    verify: !/none$/i.test(required ?? ""),
  };
}

/** The settings of one Redis. */
const SERVER_SETTINGS: SettingTable = {
  URI: { kind: "text", about: "URI, or URIs of a cluster" },
  CONNECT_TIMEOUT: { kind: "duration", default: "5s", about: "how long a connection may take" },
  CLUSTER: { kind: "flag", about: "whether it is a cluster" },
  SSL: { kind: "mapping", about: "how the connection uses TLS" },
  "SSL.ca_certs": { kind: "text", about: "file of the authorities that are trusted" },
  "SSL.certfile": { kind: "text", about: "file of the own certificate" },
  "SSL.keyfile": { kind: "text", about: "file of the own key" },
  "SSL.cert_reqs": { kind: "text", default: "CERT_REQUIRED", about: "whether the certificate is verified" },
  "SSL.server_hostname": { kind: "text", about: "name that the certificate must have (the host)" },
};

/** The settings that this file reads. */
export const REDIS_SETTINGS: SettingTable = {
  REDIS: { kind: "mapping", about: "the Redis of all services: a URI, URIs of a cluster, or a mapping" },
  ...settingsBelow("REDIS", SERVER_SETTINGS),
  REDIS_URIS: { kind: "mapping", about: "Redis servers by name, each as REDIS" },
  "REDIS_URIS.*": { kind: "mapping", about: "a Redis, as REDIS" },
  ...settingsBelow("REDIS_URIS.*", SERVER_SETTINGS),
};
