import { isRecord } from "../../runtime/message/plain.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import type { Section, SettingTable } from "../../runtime/config/section.ts";
import { parseDatabaseUri } from "./driver/database_uri.ts";

/** Where the databases of services are, and how they are used. */
export interface SqlSettings {
  /** URIs by the name of a service, or `service:name`, as nameko-sqlalchemy has them. */
  readonly uris: Readonly<Record<string, string>>;
  /** URI for the services that `uris` does not name. */
  readonly uri: string | undefined;
  /** Most connections to one database that all threads of the process have together. */
  readonly maxConnections: number;
  /** Milliseconds after which a thread closes a connection that it does not use. */
  readonly idleTimeout: number;
  /** Milliseconds that a statement may take; undefined for no limit but the deadline of its call. */
  readonly statementTimeout: number | undefined;
  /** Milliseconds until a database must have let us in. */
  readonly connectTimeout: number;
}

/** Twice the threads that a service has by default. */
const MAX_CONNECTIONS = 20;
const IDLE_TIMEOUT = 60_000;
const CONNECT_TIMEOUT = 10_000;

const EXPECTED = "the URI of a database, such as postgres://user@host/database";

/**
 * Reads `DB_URIS`, as nameko-sqlalchemy has it, and `SQL`, a URI or a mapping.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take. The message has no password.
 */
export function sqlSettings(at: Section): SqlSettings {
  const uris = urisOf(at);
  const whole = at.get("SQL");
  const own = isRecord(whole) ? at.section("SQL") : undefined;
  if (whole !== undefined && own === undefined && typeof whole !== "string") {
    at.refuse("SQL", `${EXPECTED}, or a mapping`);
  }
  const uri = own === undefined ? readUri(at, "SQL", whole) : readUri(own, "URI", own.get("URI"));
  const settings = {
    uris,
    uri,
    maxConnections: own?.integer("MAX_CONNECTIONS", 1) ?? MAX_CONNECTIONS,
    idleTimeout: own?.milliseconds("IDLE_TIMEOUT") ?? IDLE_TIMEOUT,
    statementTimeout: own?.milliseconds("STATEMENT_TIMEOUT"),
    connectTimeout: own?.milliseconds("CONNECT_TIMEOUT") ?? CONNECT_TIMEOUT,
  };
  own?.refuseOthers();
  return settings;
}

function urisOf(at: Section): Readonly<Record<string, string>> {
  const own = at.section("DB_URIS");
  if (own === undefined) return {};
  return Object.fromEntries(
    Object.keys(own.values).flatMap((key) => {
      const uri = readUri(own, key, own.get(key));
      return uri === undefined ? [] : [[key, uri] as const];
    }),
  );
}

function readUri(at: Section, key: string, uri: unknown): string | undefined {
  at.requireVariables(key);
  if (uri === undefined) return undefined;
  if (typeof uri !== "string") return at.refuse(key, EXPECTED);
  try {
    parseDatabaseUri(uri);
    return uri;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`Cannot use ${at.describe(key)}: ${error.message}`);
  }
}

/**
 * Gives the URI of the database of a service.
 *
 * @param name Which of the databases of the service: the name of the declarative base in nameko-sqlalchemy.
 * @throws {ConfigurationError} If the configuration names none.
 */
export function databaseOf({ uris, uri }: SqlSettings, service: string, name: string | undefined): string {
  const keys = name === undefined ? [service] : [`${service}:${name}`, service];
  for (const key of keys) if (Object.hasOwn(uris, key)) return uris[key]!;
  if (uri !== undefined) return uri;
  const own = Object.keys(uris).find((key) => key.startsWith(`${service}:`));
  const hint = name === undefined && own !== undefined
    ? `. DB_URIS has "${own}": name it with sql({ name: "${own.slice(service.length + 1)}" })`
    : "";
  throw new ConfigurationError(
    `Cannot find the database of service "${service}": the configuration has neither SQL nor ` +
      `DB_URIS["${keys[0]}"]. Give one of them a URI such as postgres://user@host/database${hint}`,
  );
}

/** The settings that this file reads. */
export const SQL_SETTINGS: SettingTable = {
  DB_URIS: { kind: "mapping", about: "URIs of databases by service, or service:name" },
  "DB_URIS.*": { kind: "text", about: "URI of a database" },
  SQL: { kind: "mapping", about: "URI of the database of all other services, or a mapping" },
  "SQL.URI": { kind: "text", about: "that URI" },
  "SQL.MAX_CONNECTIONS": { kind: "number", default: 20, about: "connections to one database" },
  "SQL.IDLE_TIMEOUT": {
    kind: "duration",
    default: "1m",
    about: "when a thread closes a connection that it does not use",
  },
  "SQL.STATEMENT_TIMEOUT": {
    kind: "duration",
    about: "how long a statement may take (the deadline of its call)",
  },
  "SQL.CONNECT_TIMEOUT": { kind: "duration", default: "10s", about: "how long a connection may take" },
};
