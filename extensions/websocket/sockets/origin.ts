/**
 * Returns whether a page may connect.
 *
 * Browsers let any page open a WebSocket to any server, and they send the user's cookies along. Only the
 * server can refuse. Browsers always name the origin of the page. Other clients need not name one, and the
 * server does not refuse them.
 *
 * @param origins Origins that may connect besides the origin that received the request, or `*` for all
 * origins.
 */
export function isAllowedOrigin(headers: Headers, origins: readonly string[]): boolean {
  const origin = headers.get("origin");
  if (origin === null || origins.includes("*") || origins.includes(origin)) return true;
  const host = headers.get("host");
  return host !== null && URL.canParse(origin) && new URL(origin).host === defaultPortless(host, origin);
}

/** Returns the host, without its port if that port is the default of the origin's scheme. */
function defaultPortless(host: string, origin: string): string {
  const { protocol } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : host;
}
