import type { AllowedHosts } from "./allowed_hosts.ts";

/** What is wrong with a URL: it is no URL, or its host is none that the server answers for. */
export type UrlVerdict = "valid" | "invalid" | "misdirected";

/**
 * Checks the URLs of requests.
 *
 * Deno builds the URL from the header `Host` as the client sent it. So the URL may not be valid at all, and a
 * `Host` with a slash would change the path. The check costs more than the rest of reading a URL. Most
 * requests are for the same host as the request before, so this class remembers the last host that passed.
 */
export class UrlCheck {
  readonly #allowed: AllowedHosts | undefined;
  #host: string | undefined;
  /** The last URL that passed, up to the slash that begins its path. */
  #known: string | undefined;

  /** @param allowed The hosts that the server answers for. @default {all hosts} */
  constructor(allowed?: AllowedHosts) {
    this.#allowed = allowed;
  }

  /**
   * Tells whether a URL is valid, has the path that the client asked for, and is for an allowed host.
   *
   * The URL and the header may name different hosts, if the client sent a whole URL in place of a path. Then
   * both must be allowed.
   *
   * @param host The header `host`.
   */
  check(url: string, host: string | undefined): UrlVerdict {
    if (this.#known !== undefined && host === this.#host && url.startsWith(this.#known)) return "valid";
    const origin = url.slice(0, pathStart(url));
    if (!HOST_REGEXP.test(host ?? "") || !URL.canParse(origin)) return "invalid";
    if (!this.#allows(origin, host)) return "misdirected";
    this.#host = host;
    this.#known = `${origin}/`;
    return "valid";
  }

  #allows(origin: string, host: string | undefined): boolean {
    const allowed = this.#allowed;
    if (allowed === undefined) return true;
    const isSecure = origin.startsWith("https:");
    const authority = origin.slice(origin.indexOf("://") + 3);
    return allowed.allows(authority, isSecure) && (!host || allowed.allows(host, isSecure));
  }
}

/** Returns the path as the client sent it, without the cost of a `URL`. */
export function pathOf(url: string): string {
  const start = pathStart(url);
  if (start === url.length) return "/";
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

/** Returns a path with one slash at its beginning and one at its end. A browser takes backslashes for slashes. */
export function folderPath(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && isSlash(path[start])) start++;
  while (end > start && isSlash(path[end - 1])) end--;
  return start === end ? "/" : `/${path.slice(start, end)}/`;
}

function isSlash(character: string | undefined): boolean {
  return character === "/" || character === "\\";
}

const HOST_REGEXP = /^[\w.:[\]-]*$/;

function pathStart(url: string): number {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? url.length : start;
}
