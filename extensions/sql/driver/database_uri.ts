import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { maskTextSecrets } from "../../../runtime/log/secrets.ts";
import type { SqlDialect } from "./driver.ts";

/** Where a database is, and as whom we use it. */
export interface DatabaseUri {
  readonly dialect: SqlDialect;
  /** The URI without its password, for messages. */
  readonly address: string;
  readonly host: string;
  /** Port; undefined for the usual one. */
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Name of the database, or path of the file of SQLite, which is `:memory:` for a database without a file. */
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const DIALECTS: Readonly<Record<string, SqlDialect>> = {
  postgres: "postgres",
  postgresql: "postgres",
  mysql: "mysql",
  mariadb: "mysql",
  sqlite: "sqlite",
};

/** Parameters that a URI may have. Others are refused, because nobody would heed them. */
const PARAMETERS: Readonly<Record<SqlDialect, readonly string[]>> = {
  postgres: ["application_name", "options", "sslmode"],
  mysql: ["charset", "timezone", "ssl"],
  sqlite: [],
};

const SSL_MODES = ["disable", "require", "verify-full"];

const EXPECTED =
  "postgres://user@host/database, mysql://user@host/database, sqlite:///file or sqlite::memory:";

/**
 * Reads the URI of a database. The scheme may name a driver of Python, as SQLAlchemy's do, which has no effect:
 * `mysql+pymysql://`. As SQLAlchemy has it, `sqlite:///orders.db` is a relative path, and `sqlite:////var/orders.db` an
 * absolute one.
 *
 * @throws {ConfigurationError} If it is no such URI. The message has no password.
 */
export function parseDatabaseUri(uri: string): DatabaseUri {
  const [, scheme, rest = ""] = /^(\w+)(?:\+\w+)?:(.*)$/.exec(uri) ?? [];
  const dialect = scheme === undefined || !Object.hasOwn(DIALECTS, scheme) ? undefined : DIALECTS[scheme];
  if (dialect === undefined) refuse(uri, "its scheme is not known");
  const address = maskTextSecrets(uri);
  if (dialect === "sqlite") {
    return {
      dialect,
      address,
      database: fileOf(uri, rest),
      host: "",
      port: undefined,
      user: undefined,
      password: undefined,
      parameters: new Map(),
    };
  }
  const text = `${scheme}:${rest}`;
  if (!rest.startsWith("//") || !URL.canParse(text)) refuse(uri, "it is no URI");
  const { hostname, port, username, password, pathname, searchParams } = new URL(text);
  if (hostname === "") refuse(uri, "it names no host");
  const parameters = new Map(searchParams);
  for (const name of parameters.keys()) {
    if (PARAMETERS[dialect].includes(name)) continue;
    refuse(uri, `its parameter "${name}" has no meaning here, only ${PARAMETERS[dialect].join(", ")}`);
  }
  const mode = parameters.get("sslmode");
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    refuse(uri, `its sslmode is none of ${SSL_MODES.join(", ")}`);
  }
  return {
    dialect,
    address,
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? undefined : Number(port),
    user: decode(uri, username) || undefined,
    password: decode(uri, password) || undefined,
    database: decode(uri, pathname.slice(1)),
    parameters,
  };
}

function fileOf(uri: string, rest: string): string {
  if (rest === ":memory:" || rest === "//" || rest === "///:memory:") return ":memory:";
  const path = rest.startsWith("///") ? decode(uri, rest.slice(3)) : "";
  if (path === "" || /[?#]/.test(path)) refuse(uri, "it names no file");
  return path;
}

function decode(uri: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse(uri, "it has a % that begins no character. Write %25 for a %");
  }
}

function refuse(uri: string, reason: string): never {
  throw new ConfigurationError(
    `Cannot use database ${maskTextSecrets(uri)}: ${reason}. Give a URI such as ${EXPECTED}`,
  );
}
