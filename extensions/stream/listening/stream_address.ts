/** Where a stream listens, or a client connects. */
export type StreamAddress =
  | { readonly scheme: "tcp" | "tls"; readonly hostname: string; readonly port: number }
  | { readonly scheme: "unix"; readonly path: string };

const MOST_PORT = 65_535;

/** How addresses are written, for messages. */
export const ADDRESS_FORMS = "tcp://host:port, tls://host:port or unix:/path";

/** Reads an address; returns undefined if the text is none. Port 0 stands for any free port. */
export function parseStreamAddress(text: string): StreamAddress | undefined {
  if (text.startsWith("unix:")) return text.length > 5 ? { scheme: "unix", path: text.slice(5) } : undefined;
  const [, scheme, ipv6, host, digits] =
    /^(tcp|tls):\/\/(?:\[([\d.:A-Fa-f]{2,45})\]|([\w.-]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (scheme === undefined || port > MOST_PORT) return undefined;
  return { scheme: scheme as "tcp" | "tls", hostname: (ipv6 ?? host)!, port };
}

/** Writes an address as {@linkcode parseStreamAddress} reads it. */
export function formatStreamAddress(address: StreamAddress): string {
  if (address.scheme === "unix") return `unix:${address.path}`;
  const { scheme, hostname, port } = address;
  return `${scheme}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Writes the address of one end of a connection. The client of a Unix socket usually has none. */
export function formatEnd(scheme: StreamAddress["scheme"], end: Deno.Addr): string {
  if ("hostname" in end) return formatStreamAddress({ scheme: scheme === "tls" ? "tls" : "tcp", ...end });
  return `unix:${"path" in end ? end.path ?? "" : ""}`;
}
