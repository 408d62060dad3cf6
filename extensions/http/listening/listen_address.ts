import { ConfigurationError } from "../../../runtime/message/errors.ts";

/** The address at which a server listens: a TCP port or a Unix socket. */
export type ListenAddress =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

const MAX_PORT = 65_535;

/** What chooses the address of the server of all services, for messages. */
export const WEB_ADDRESS = "--http or WEB_SERVER_ADDRESS";

/**
 * Reads an address: `[host:]port`, `[IPv6]:port` or `unix:/path`. Port 0 stands for any free port.
 *
 * @param setting What chooses the address, for messages.
 * @throws {ConfigurationError} If the text has none of these forms.
 */
export function parseListenAddress(text: string, setting = WEB_ADDRESS): ListenAddress {
  if (text.startsWith("unix:") && text.length > 5) return { path: text.slice(5) };
  const [, ipv6, host, digits] = /^(?:(?:\[([\d.:A-Fa-f]+)\]|([\w.-]+)):)?(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port > MAX_PORT) {
    throw new ConfigurationError(
      `Cannot use HTTP address ${text} (${setting}): ports go up to ${MAX_PORT}`,
    );
  }
  if (digits === undefined) {
    throw new ConfigurationError(
      `Cannot use address "${text}" (${setting}): expected [host:]port or unix:/path`,
    );
  }
  return { hostname: ipv6 ?? host ?? "0.0.0.0", port };
}

/** Writes an address in the form that the configuration has. */
export function formatListenAddress(address: ListenAddress): string {
  if ("path" in address) return `unix:${address.path}`;
  const { hostname, port } = address;
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
