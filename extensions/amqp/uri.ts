/** Where and as whom to log in, read from a broker URI. */
export interface BrokerAddress {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** Scheme, host and port, for errors about reaching the host. */
  readonly endpoint: string;
  /** The whole URI without its password, fit for people. */
  readonly broker: string;
}

const SCHEMES = new Map([["amqp:", false], ["pyamqp:", false], ["amqps:", true]]);

/**
 * Reads `amqp://`, `amqps://` and `pyamqp://` URIs (the last is Nameko's name for the first).
 *
 * No path, or a lone `/`, is the vhost `/`; `/nk` is the vhost `nk`. User, password and vhost may be
 * percent-encoded. The defaults are guest, guest, localhost and port 5672, or 5671 with TLS.
 *
 * @throws {TypeError} If it is not such a URI; the message never repeats the password.
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
    throw unreadable(`its ${part} has a "%" that begins no percent-encoding (write it as %25)`);
  }
}

function unreadable(why: string): TypeError {
  return new TypeError(`Cannot read the broker URI: ${why}. Write amqp://user:password@host:5672/vhost`);
}
