import { MASK } from "../../runtime/log/secrets.ts";

/** A server and how to log in there, read from its URI. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** What the query of the URI says about TLS, by the names that redis-py has for it. */
  readonly ssl: Readonly<Record<string, string>>;
  /** The URI without its password and its query, for messages that people read. */
  readonly shown: string;
}

/** What a URI must look like, for messages. */
export const URI_FORM = "redis://host:6379, rediss://host:6379 for TLS";

const DEFAULT_PORT = 6379;

const SSL_OPTIONS = ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"];

/**
 * Reads `redis://` and `rediss://` URIs. The defaults are port 6379, database 0 and no login.
 *
 * The query takes the names of redis-py: `db`, `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`.
 *
 * @returns The address, or a reason without secrets why the text is none.
 */
export function parseRedisUri(text: string): RedisAddress | string {
  const url = URL.parse(text.trim());
  if (url === null) return "it is not a URI";
  const secure = url.protocol === "rediss:";
  if (!secure && url.protocol !== "redis:") return `its scheme is ${url.protocol.slice(0, 20)}//`;
  if (url.hash !== "") return 'it has a "#". In a password, write %23 for it';
  const ssl: Record<string, string> = {};
  let { pathname } = url;
  for (const [name, value] of url.searchParams) {
    if (name === "db") pathname = `/${value}`;
    else if (!SSL_OPTIONS.includes(name)) {
      return `its options are not known: there are db, ${SSL_OPTIONS.join(", ")}`;
    } else if (!secure) return "its options for TLS need rediss://";
    else ssl[name.slice("ssl_".length)] = value;
  }
  const [, database] = /^\/?(\d{0,5})$/.exec(pathname) ?? [];
  if (database === undefined) return "its path is not the number of a database";
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === null || password === null) {
    return 'its user or its password has a "%" that begins no character. Write %25 for it';
  }
  const host = url.hostname === "" ? "localhost" : url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const login = url.password === "" ? (url.username && `${url.username}@`) : `${url.username}:${MASK}@`;
  const place = `${url.hostname === "" ? "localhost" : url.hostname}:${port}`;
  return {
    host,
    port,
    secure,
    username: username || undefined,
    password: password || undefined,
    database: Number(database),
    ssl,
    shown: `${url.protocol}//${login}${place}${Number(database) === 0 ? "" : `/${Number(database)}`}`,
  };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
