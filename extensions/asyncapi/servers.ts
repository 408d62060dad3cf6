import type { PlainRecord } from "../../runtime/message/plain.ts";

/** Describes brokers by their URIs, without the names and the passwords of users. */
export function serverEntries(uris: readonly string[]): PlainRecord {
  return Object.fromEntries(uris.map((uri, index) => {
    const name = uris.length === 1 ? "broker" : `broker${index + 1}`;
    const { protocol, host, pathname } = new URL(uri);
    return [name, {
      host: host || "localhost",
      protocol: protocol.slice(0, -1),
      ...(pathname.length > 1 && { pathname }),
    }];
  }));
}
