/** Headers that are about one connection, and not about the answer that goes over it. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
] as const;

/** Encodings that Deno's `fetch` undoes, without a change of the headers that tell of them. */
const DECODED: ReadonlySet<string> = new Set(["gzip", "br"]);

/**
 * Returns the headers with which a response of `fetch` can be sent on.
 *
 * Its body may have been decoded, and then it has neither the encoding nor the length that its headers state.
 */
export function forwardedHeaders(headers: Headers): Headers {
  const forwarded = new Headers(headers);
  const named = headers.get("connection")?.split(",").map((name) => name.trim()) ?? [];
  for (const name of [...HOP_BY_HOP, ...named.filter((name) => /^[\w-]+$/.test(name))]) {
    forwarded.delete(name);
  }
  if (DECODED.has(headers.get("content-encoding") ?? "")) {
    forwarded.delete("content-encoding");
    forwarded.delete("content-length");
  }
  return forwarded;
}
