/**
 * Decides for which hosts the server answers.
 *
 * A page can make the name of its own host stand for an address of this server (DNS rebinding). For the
 * browser, the server then belongs to the page, so the page may read its answers. The requests still name the
 * host of the page, and that is how the server can tell.
 */
export class AllowedHosts {
  /** Names of hosts, with the port where only one port is allowed. */
  readonly #exact = new Set<string>();
  /** The same, for the names below which all hosts are allowed. */
  readonly #parents = new Set<string>();

  /** @throws {TypeError} If a text is not a host that {@linkcode isAllowedHost} takes. */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const host = parseAllowedHost(text);
      if (host === undefined) throw new TypeError(`Cannot allow host "${text}": it is not a host`);
      const { name, port, prefix } = host;
      const key = port === undefined ? name : `${name}:${port}`;
      if (prefix !== "*.") this.#exact.add(key);
      if (prefix !== "") this.#parents.add(key);
    }
  }

  /**
   * Tells whether a host is allowed.
   *
   * @param authority Host and port as a URL or the header `host` has them.
   * @param isSecure Whether the request came by TLS, which gives a host without a port its port.
   */
  allows(authority: string, isSecure: boolean): boolean {
    if (authority.length > MAX_LENGTH) return false;
    const url = URL.parse(`${isSecure ? "https" : "http"}://${authority}`);
    if (url === null) return false;
    const name = withoutFinalDot(url.hostname);
    const port = url.port || (isSecure ? "443" : "80");
    if (includes(this.#exact, name, port)) return true;
    if (this.#parents.size === 0) return false;
    for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
      if (includes(this.#parents, name.slice(dot + 1), port)) return true;
    }
    return false;
  }
}

/**
 * Tells whether a text names hosts: `example.org`, `example.org:8443` for one port, `*.example.org` for all
 * hosts below it, `.example.org` for both, `127.0.0.1`, `[::1]`.
 */
export function isAllowedHost(text: string): boolean {
  return parseAllowedHost(text) !== undefined;
}

/** More characters than a host and its port can have. */
const MAX_LENGTH = 300;

const HOST_REGEXP = /^(\*?\.)?(\[[\da-f:.]+\]|[^\s:/?#@[\]*\\]+)(?::(\d{1,5}))?$/i;

const ADDRESS_REGEXP = /^(?:\[.*|[\d.]+)$/;

interface AllowedHost {
  readonly prefix: string;
  /** The name as the parser of URLs writes it: all spellings of a host give the same name. */
  readonly name: string;
  readonly port: string | undefined;
}

function parseAllowedHost(text: string): AllowedHost | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, prefix = "", host, digits] = HOST_REGEXP.exec(text) ?? [];
  const url = host === undefined ? null : URL.parse(`http://${host}:${digits ?? 1}`);
  if (url === null) return undefined;
  const name = withoutFinalDot(url.hostname);
  if (name === "" || name.startsWith(".") || (prefix !== "" && ADDRESS_REGEXP.test(name))) return undefined;
  return { prefix, name, port: digits === undefined ? undefined : url.port || "80" };
}

function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

function includes(hosts: ReadonlySet<string>, name: string, port: string): boolean {
  return hosts.has(name) || hosts.has(`${name}:${port}`);
}
