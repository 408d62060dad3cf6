/**
 * Which URLs remote code may come from.
 *
 * Every URL is asked about before anything is sent to it: the one that a user or a module named, each one that a
 * redirect leads to, and the one at which a cached module was found. What is not allowed is therefore never
 * connected to, and a module that was cached under looser rules is refused under stricter ones.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import { maskUrl } from "../../log/secrets.ts";

/** What a module may be loaded from. */
export interface ModuleOriginOptions {
  /**
   * Hosts, such as `example.com`, `example.com:8080`, `*.example.com`; without a port, any.
   *
   * @default {all}
   */
  readonly allowImport?: readonly string[];
  /** Whether plain http may be used beyond this machine. @default {false} */
  readonly allowHttp?: boolean;
}

/** The rules for origins. */
export class ModuleOrigins {
  readonly #hosts: readonly HostPattern[] | undefined;
  readonly #allowHttp: boolean;

  /** @throws {TypeError} If a host is not written as one. */
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
   * Passes if a module may be loaded from there.
   *
   * @param referrer The module that imports it or the URL that redirects to it; undefined if the user named it.
   * @throws {ServiceLoadError}
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
        throw refusal(url, "plain http can be tampered with on its way. Use https, or pass --allow-http");
      }
    }
    if (this.#hosts !== undefined && !this.#hosts.some((host) => matches(host, url))) {
      const by = referrer === undefined ? "" : `, to which ${maskUrl(referrer)} leads`;
      throw refusal(url, `host ${url.host}${by} is not among those of --allow-import. Add it there`);
    }
  }
}

/** Whether `text` names a host, or with `*.` all below one. */
export function isHostPattern(text: string): boolean {
  return parseHostPattern(text) !== undefined;
}

interface HostPattern {
  readonly name: string;
  /** Whether it is the hosts below `name` and not itself. */
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

/** The URL parser has made one spelling of the many that an address has. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function refusal(url: URL, reason: string): ServiceLoadError {
  return new ServiceLoadError(`Cannot load module ${maskUrl(url)}: ${reason}`);
}
