/**
 * What the server reads of a request's URL.
 *
 * Deno puts it together from the `Host` as it is, so it may be no URL at all, and a `Host` with a slash would change
 * the path. To check costs more than the rest, and most requests are for the same host as the one before.
 */
export class UrlCheck {
  #host: string | undefined;
  /** The URL of the one before, up to its path. */
  #known: string | undefined;

  /** Whether it is a URL with the path that the client has asked for. */
  accepts(url: string, host: string | undefined): boolean {
    if (this.#known !== undefined && host === this.#host && url.startsWith(this.#known)) return true;
    const origin = url.slice(0, pathStart(url));
    if (!HOST_REGEXP.test(host ?? "") || !URL.canParse(origin)) return false;
    this.#host = host;
    this.#known = `${origin}/`;
    return true;
  }
}

/** The path as the client has sent it, without the cost of a URL. */
export function pathOf(url: string): string {
  const start = pathStart(url);
  if (start === url.length) return "/";
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

const HOST_REGEXP = /^[\w.:[\]-]*$/;

function pathStart(url: string): number {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? url.length : start;
}
