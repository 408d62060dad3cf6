import { ConfigurationError } from "@enoki/enoki";

/** Address, login and prefix, read from the URI of a broker. */
export interface NatsAddress {
  /** Host and port. */
  readonly server: string;
  readonly login: { readonly user: string; readonly pass: string } | { readonly token: string } | undefined;
  /** Beginning of all names in the server. Transports with different prefixes do not see each other. */
  readonly prefix: string;
  /** The URI without its password, for messages that people read. */
  readonly broker: string;
}

/**
 * Reads `nats://user:password@host:4222/prefix` or `nats://token@host:4222/prefix`.
 *
 * The defaults are port 4222, no login, and the prefix `enoki`.
 *
 * @throws {ConfigurationError} If `uri` is not such a URI. The message contains no password.
 */
export function readAddress(uri: string): NatsAddress {
  if (!URL.canParse(uri)) throw unreadable("it is not a URI");
  const { protocol, hostname, port, username, password, pathname } = new URL(uri);
  if (protocol !== "nats:") throw unreadable(`its scheme is "${protocol.slice(0, -1)}"`);
  const server = `${hostname || "localhost"}:${port || 4222}`;
  const prefix = pathname.replace(/^\//, "") || "enoki";
  if (!/^[A-Za-z\d_-]{1,64}$/.test(prefix)) {
    throw unreadable("its prefix is not made of 1 to 64 letters, digits, - and _");
  }
  const [user, pass] = [decode(username), decode(password)];
  const named = user === "" ? "" : pass === "" ? "token@" : `${encodeURIComponent(user)}@`;
  return {
    server,
    login: user === "" ? undefined : pass === "" ? { token: user } : { user, pass },
    prefix,
    broker: `nats://${named}${server}/${prefix}`,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable('its login has a "%" that does not start a percent-encoding (write %25 instead)');
  }
}

function unreadable(why: string): ConfigurationError {
  return new ConfigurationError(
    `Cannot read the URI of the NATS server: ${why}. Write nats://user:password@host:4222/prefix`,
  );
}
