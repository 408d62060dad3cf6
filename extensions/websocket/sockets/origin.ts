/** Options of {@linkcode isAllowedOrigin}. */
export interface OriginOptions {
  /** Origins that may connect besides the origin that received the request, or `*` for all origins. */
  readonly origins: readonly string[];
  /** Whether header `x-forwarded-proto` says by which scheme the page has connected. @default {false} */
  readonly trustProxy?: boolean;
}

/**
 * Returns whether a page may connect.
 *
 * Browsers let any page open a WebSocket to any server, and they send the user's cookies along. Only the
 * server can refuse. Browsers always name the origin of the page. Other clients need not name one, and the
 * server does not refuse them.
 *
 * A page that came by plain HTTP may be anybody's, because everybody on its way could change it. So it may not
 * connect where the server is reached by TLS. The reverse is allowed: a page that came by TLS reaches a server
 * without TLS through a proxy that ends TLS.
 */
export function isAllowedOrigin(
  { headers, url }: Pick<Request, "headers" | "url">,
  { origins, trustProxy = false }: OriginOptions,
): boolean {
  const origin = headers.get("origin");
  if (origin === null || origins.includes("*") || origins.includes(origin)) return true;
  const host = headers.get("host");
  if (host === null || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  const scheme = (trustProxy ? forwardedScheme(headers) : undefined) ?? schemeOf(url);
  const isSafe = page.protocol === "https:" || (page.protocol === "http:" && scheme === "http");
  return isSafe && page.host === defaultPortless(host, page.protocol);
}

/** Returns the host, without its port if that port is the default of the scheme. */
function defaultPortless(host: string, protocol: string): string {
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : host;
}

function schemeOf(url: string): "http" | "https" {
  return url.startsWith("https:") ? "https" : "http";
}

/** Returns the scheme at the first proxy, which the page has connected to. */
function forwardedScheme(headers: Headers): "http" | "https" | undefined {
  const [first] = headers.get("x-forwarded-proto")?.split(",") ?? [];
  const scheme = first?.trim().toLowerCase();
  if (scheme === "https" || scheme === "wss") return "https";
  return scheme === "http" || scheme === "ws" ? "http" : undefined;
}
