/**
 * Whether a page may connect.
 *
 * Browsers let any page open a WebSocket to anywhere and send the user's cookies along; only the server can
 * refuse. They always say the page's origin; other clients need not, and are not refused.
 *
 * @param origins Origins beside the one that the request was sent to, or `*`.
 */
export function isAllowedOrigin(headers: Headers, origins: readonly string[]): boolean {
  const origin = headers.get("origin");
  if (origin === null || origins.includes("*") || origins.includes(origin)) return true;
  const host = headers.get("host");
  return host !== null && URL.canParse(origin) && new URL(origin).host === defaultPortless(host, origin);
}

/** The host without the port that the origin's scheme has anyway. */
function defaultPortless(host: string, origin: string): string {
  const { protocol } = new URL(origin);
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : host;
}
