/**
 * Checks the URLs of requests.
 *
 * Deno builds the URL from the header `Host` as the client sent it. So the URL may not be valid at all, and a
 * `Host` with a slash would change the path. The check costs more than the rest of reading a URL. Most
 * requests are for the same host as the request before, so this class remembers the last host that passed.
 */
export class UrlCheck {
  #host: string | undefined;
  /** The last URL that passed, up to the slash that begins its path. */
  #known: string | undefined;

  /**
   * Tells whether a URL is valid and has the path that the client asked for.
   *
   * @param host The header `host`.
   */
  accepts(url: string, host: string | undefined): boolean {
    if (this.#known !== undefined && host === this.#host && url.startsWith(this.#known)) return true;
    const origin = url.slice(0, pathStart(url));
    if (!HOST_REGEXP.test(host ?? "") || !URL.canParse(origin)) return false;
    this.#host = host;
    this.#known = `${origin}/`;
    return true;
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
