/**
 * Decides from which URLs remote code may come.
 *
 * The fetcher checks every URL before it sends anything there: the URL that a user or a module named, each
 * URL to which a redirect leads, and the URL at which a cached module was found. The fetcher therefore never
 * connects to a URL that is not allowed, and it refuses a module that was cached under looser rules than
 * those of today.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import { maskUrl } from "../../log/secrets.ts";

/** Origins that modules may be loaded from. */
export interface ModuleOriginOptions {
  /**
   * Hosts, such as `example.com`, `example.com:8080`, `*.example.com`. A host without a port allows every
   * port.
   *
   * @default {all}
   */
  readonly allowImport?: readonly string[];
  /** Whether modules may come over plain http from other machines than this one. @default {false} */
  readonly allowHttp?: boolean;
}

/** The rules for origins. */
export class ModuleOrigins {
  readonly #hosts: readonly HostPattern[] | undefined;
  readonly #allowHttp: boolean;

  /** @throws {TypeError} If a text in `allowImport` is not a host. */
  constructor({ allowImport, allowHttp = false }: ModuleOriginOptions) {
    this.#hosts = allowImport?.map((text) => {
      const pattern = parseHostPattern(text);
      if (pattern === undefined) {
        throw new TypeError(`Cannot allow imports from "${text}": it is not a host, such as example.com:443`);
      }
      return pattern;
    });
    this.#allowHttp = allowHttp;
  }

  /**
   * Checks that a module may be loaded from a URL.
   *
   * @param referrer URL that imports or redirects to this URL; undefined if the user named this URL.
   * @throws {ServiceLoadError} If the module must not be loaded from there.
   */
  check(url: URL, referrer: string | undefined): void {
    if (url.username !== "" || url.password !== "") {
      throw refusal(
        url,
        "a URL must not carry a password. Set the header under modules.headers for its host",
      );
    }
    if (url.protocol === "http:") {
      if (referrer?.startsWith("https:")) {
        throw refusal(url, `${maskUrl(referrer)} leads to it, and https must not lead to plain http`);
      }
      if (!this.#allowHttp && !isLoopback(url.hostname)) {
        throw refusal(
          url,
          "plain http does not protect a module on its way. Use https, or pass --allow-http",
        );
      }
    }
    if (this.#hosts !== undefined && !this.#hosts.some((host) => matches(host, url))) {
      const by = referrer === undefined ? "" : `, to which ${maskUrl(referrer)} leads`;
      throw refusal(url, `host ${url.host}${by} is not among those of --allow-import. Add it there`);
    }
  }
}

/** Tells whether `text` names a host, or, with `*.` before it, all hosts below one. */
export function isHostPattern(text: string): boolean {
  return parseHostPattern(text) !== undefined;
}

interface HostPattern {
  readonly name: string;
  /** Whether the pattern stands for the hosts below `name`, and not for `name` itself. */
  readonly below: boolean;
  readonly port: string | undefined;
}

function parseHostPattern(text: string): HostPattern | undefined {
  const [, star, name, port] = /^(\*\.)?(\[[\da-f:.]+\]|[^\s:/?#@[\]*]+)(?::(\d+))?$/i.exec(text) ?? [];
  if (name === undefined || !URL.canParse(`http://${name}`)) return undefined;
  return { name: new URL(`http://${name}`).hostname, below: star !== undefined, port };
}

function matches({ name, below, port }: HostPattern, { hostname, protocol, port: own }: URL): boolean {
  if (port !== undefined && port !== (own || (protocol === "https:" ? "443" : "80"))) return false;
  return below ? hostname.endsWith(`.${name}`) : hostname === name;
}

/** Tells whether a host is this machine. The URL parser has already unified the spellings of an address. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function refusal(url: URL, reason: string): ServiceLoadError {
  return new ServiceLoadError(`Cannot load module ${maskUrl(url)}: ${reason}`);
}
