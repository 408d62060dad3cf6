/** Address and login of a broker, read from the broker's URI. */
export interface BrokerAddress {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** Scheme, host and port, for error messages about the connection to the host. */
  readonly endpoint: string;
  /** The whole URI without its password, for messages that people read. */
  readonly broker: string;
}

const SCHEMES = new Map([["amqp:", false], ["pyamqp:", false], ["amqps:", true]]);

/**
 * Reads `amqp://`, `amqps://` and `pyamqp://` URIs (`pyamqp://` is Nameko's name for `amqp://`).
 *
 * No path, or the path `/`, means the vhost `/`. The path `/nk` means the vhost `nk`. User, password and
 * vhost may be percent-encoded. The defaults are user guest, password guest, host localhost, and port 5672,
 * or 5671 with TLS.
 *
 * @throws {TypeError} If `uri` is not such a URI. The message never contains the password.
 */
export function parseBrokerUri(uri: string): BrokerAddress {
  if (!URL.canParse(uri)) throw unreadable("it is not a URI");
  const url = new URL(uri);
  const secure = SCHEMES.get(url.protocol);
  if (secure === undefined) throw unreadable(`scheme "${url.protocol.slice(0, -1)}" is not known`);

  const host = url.hostname === "" ? "localhost" : url.hostname;
  const port = url.port === "" ? (secure ? 5671 : 5672) : Number(url.port);
  const named = url.username !== "" || url.password !== "";
  const user = named ? decode(url.username, "user") : "guest";
  const password = named ? decode(url.password, "password") : "guest";
  const vhost = url.pathname.length <= 1 ? "/" : decode(url.pathname.slice(1), "vhost");

  const scheme = secure ? "amqps" : "amqp";
  const path = vhost === "/" ? "/" : `/${encodeURIComponent(vhost)}`;
  return {
    secure,
    host: host.replace(/^\[|\]$/g, ""),
    port,
    user,
    password,
    vhost,
    endpoint: `${scheme}://${host}:${port}`,
    broker: `${scheme}://${encodeURIComponent(user)}@${host}:${port}${path}`,
  };
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable(`its ${part} has a "%" that does not start a percent-encoding (write %25 instead)`);
  }
}

function unreadable(why: string): TypeError {
  return new TypeError(`Cannot read the broker URI: ${why}. Write amqp://user:password@host:5672/vhost`);
}
