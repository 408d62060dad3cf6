/** Cross-origin resource sharing: which pages of other origins may read responses (the Fetch standard, CORS). */
import type { CrossOriginSettings } from "../settings.ts";

/** The headers of a response to a page of `origin`, or to no page; nothing is granted where it may not read it. */
export function crossOriginHeaders(
  origin: string | undefined,
  { origins, credentials, expose }: CrossOriginSettings,
): readonly [string, string][] {
  const all = origins.includes("*");
  // A cache must not give to one origin what another was answered.
  const headers: [string, string][] = all ? [] : [["vary", "origin"]];
  if (origin === undefined || (!all && !origins.includes(origin))) return headers;
  headers.push(["access-control-allow-origin", all ? "*" : origin]);
  if (credentials) headers.push(["access-control-allow-credentials", "true"]);
  if (expose.length > 0) headers.push(["access-control-expose-headers", expose.join(", ")]);
  return headers;
}

/** The further headers of the answer to a preflight request. */
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
