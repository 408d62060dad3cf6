import { parseUriOptions, type UriOptions } from "./uri_options.ts";

/** Address and login of a broker, read from the broker's URI. */
export interface BrokerAddress {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** What the query of the URI says about the connection. */
  readonly options: UriOptions;
  /** Scheme, host and port, for error messages about the connection to the host. */
  readonly endpoint: string;
  /** The whole URI without its password and its options, for messages that people read. */
  readonly broker: string;
}

const SCHEMES = new Map([["amqp", false], ["pyamqp", false], ["amqps", true]]);

/** The scheme, the authority, and what follows it. */
const URI = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(?:\/([^?]*))?(?:\?(.*))?$/is;

/** What separates the URIs of a list. */
const SEPARATOR = /\s*[;,]\s*(?=[a-z][a-z\d+.-]{0,20}:\/\/)/i;

/** Largest number of hosts in a list. */
const MOST_HOSTS = 100;

/**
 * Reads one URI, or a list of URIs such as Kombu's `amqp://a;amqp://b`. A comma separates them as well.
 *
 * @throws {TypeError} If a URI is wrong. The message never contains a password.
 */
export function parseBrokerUris(uris: string): readonly [BrokerAddress, ...BrokerAddress[]] {
  const texts = uris.split(SEPARATOR);
  if (texts.length > MOST_HOSTS) throw unreadable(`it is a list of more than ${MOST_HOSTS} URIs`);
  const addresses = texts.map((text, index) =>
    parseBrokerUri(text, texts.length === 1 ? "" : `, number ${index + 1} of ${texts.length}`)
  );
  return addresses as unknown as readonly [BrokerAddress, ...BrokerAddress[]];
}

/**
 * Reads `amqp://`, `amqps://` and `pyamqp://` URIs (`pyamqp://` is Nameko's name for `amqp://`).
 *
 * No path, or the path `/`, means the vhost `/`. The path `/nk` means the vhost `nk`. User, password and
 * vhost may be percent-encoded. The defaults are user guest, password guest, host localhost, and port 5672,
 * or 5671 with TLS. {@linkcode parseUriOptions} reads the query.
 *
 * @param which Words for the error that say which URI of a list it is.
 * @throws {TypeError} If `uri` is not such a URI. The message never contains the password.
 */
export function parseBrokerUri(uri: string, which = ""): BrokerAddress {
  if (uri.includes("://") && isMisread(uri)) {
    throw unreadable(
      'it has a "#", "/", "?" or "@" in a place where it ends something else. ' +
        'In a password or a vhost, write %23 for "#", %2F for "/", %3F for "?" and %40 for "@"',
      which,
    );
  }
  const [, named, authority, path = "", query] = URI.exec(uri.trim()) ?? [];
  if (named === undefined || authority === undefined) throw unreadable("it is not a URI", which);
  const secure = SCHEMES.get(named.toLowerCase());
  if (secure === undefined) throw unreadable(`scheme "${named.slice(0, 20)}" is not known`, which);
  const url = parseAuthority(authority, which);
  const host = url.hostname === "" ? "localhost" : url.hostname;
  if (/[;,]/.test(host)) {
    throw unreadable('its host has a ";" or ",". In a list of URIs, write each with its scheme', which);
  }
  const port = url.port === "" ? (secure ? 5671 : 5672) : Number(url.port);
  if (port === 0) throw unreadable("its port is 0", which);
  const hasLogin = url.username !== "" || url.password !== "";
  const user = hasLogin ? decode(url.username, "user", which) : "guest";
  const password = hasLogin ? decode(url.password, "password", which) : "guest";
  const vhost = path === "" ? "/" : decode(path, "vhost", which);

  const scheme = secure ? "amqps" : "amqp";
  const shownPath = vhost === "/" ? "/" : `/${encode(vhost, "vhost", which)}`;
  return {
    secure,
    host: host.replace(/^\[|\]$/g, ""),
    port,
    user,
    password,
    vhost,
    options: query === undefined ? {} : parseUriOptions(query, secure, (why) => unreadable(why, which)),
    endpoint: `${scheme}://${host}:${port}`,
    broker: `${scheme}://${encode(user, "user", which)}@${host}:${port}${shownPath}`,
  };
}

/** Writes `amqps` for the scheme of each URI of a list. */
export function withTls(uris: string): string {
  return uris.split(SEPARATOR).map((uri) => uri.replace(/^(\s*)(?:py)?amqp:/i, "$1amqps:")).join(";");
}

/** Writes another vhost into the first URI of a list. */
export function withVhost(uris: string, vhost: string): string {
  const [, scheme, authority, , query] = URI.exec(uris.split(SEPARATOR)[0]!.trim())!;
  return `${scheme}://${authority}/${encodeURIComponent(vhost)}${query === undefined ? "" : `?${query}`}`;
}

/**
 * Says whether a sign of a password or a vhost was probably taken for the end of the host: there is a fragment,
 * which no broker has, or an "@" behind the first sign that ends the host.
 */
function isMisread(uri: string): boolean {
  if (uri.includes("#")) return true;
  const start = uri.indexOf("://") + 3;
  const end = uri.slice(start).search(/[/?]/);
  return end !== -1 && uri.includes("@", start + end);
}

function parseAuthority(authority: string, which: string): URL {
  const uri = `amqp://${authority}`;
  if (!URL.canParse(uri)) {
    throw unreadable(
      'its host or its port is wrong, or a password in it has a "#", "/" or "?" (write %23, %2F or %3F)',
      which,
    );
  }
  return new URL(uri);
}

function decode(text: string, part: string, which: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable(
      `its ${part} has a "%" that does not start a percent-encoding (write %25 instead)`,
      which,
    );
  }
}

function encode(text: string, part: string, which: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw unreadable(`its ${part} is not Unicode text`, which);
  }
}

function unreadable(why: string, which = ""): TypeError {
  const end = why.endsWith("?") ? "" : ".";
  return new TypeError(
    `Cannot read the broker URI${which}: ${why}${end} Write amqp://user:password@host:5672/vhost`,
  );
}
