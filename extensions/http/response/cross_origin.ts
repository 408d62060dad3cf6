/**
 * Cross-origin resource sharing (CORS in the Fetch standard): tells browsers which pages of other origins may
 * read responses.
 */
import type { CrossOriginSettings } from "../settings.ts";

/**
 * Returns the cross-origin headers of a response. They grant nothing to a page that may not read the
 * response.
 *
 * @param origin Origin of the page; undefined if the request does not come from a page.
 */
export function crossOriginHeaders(
  origin: string | undefined,
  { origins, credentials, expose }: CrossOriginSettings,
): readonly [string, string][] {
  const all = origins.includes("*");
  // A cache must not give one origin the response that it keeps for another.
  const headers: [string, string][] = all ? [] : [["vary", "origin"]];
  if (origin === undefined || (!all && !origins.includes(origin))) return headers;
  headers.push(["access-control-allow-origin", all ? "*" : origin]);
  if (credentials) headers.push(["access-control-allow-credentials", "true"]);
  if (expose.length > 0) headers.push(["access-control-expose-headers", expose.join(", ")]);
  return headers;
}

/** Returns the headers that only the answer to a preflight request has. */
export function preflightHeaders(
  request: Request,
  allowed: readonly string[],
  { headers: permitted, maxAge }: CrossOriginSettings,
): readonly [string, string][] {
  const asked = permitted?.join(", ") ?? request.headers.get("access-control-request-headers");
  return [
    ["access-control-allow-methods", allowed.join(", ")],
    ["access-control-max-age", String(Math.floor(maxAge / 1_000))],
    ...(asked === null || asked === "" ? [] : [["access-control-allow-headers", asked] as [string, string]]),
  ];
}
