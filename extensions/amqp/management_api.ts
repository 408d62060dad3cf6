import { Buffer } from "node:buffer";
import type { BrokerAddress } from "./uri.ts";

/** A request to the management plugin. */
export interface ManagementRequest {
  /** @default {"GET"} */
  readonly method?: string;
  /** Parts of the path below `/api`, not encoded. */
  readonly path: readonly string[];
  /** @default {the query of the plugin's URI} */
  readonly query?: string;
  /** What is sent as JSON. @default {nothing} */
  readonly body?: object;
  readonly signal: AbortSignal;
}

/** The HTTP API of RabbitMQ's management plugin. */
export class ManagementApi {
  readonly #base: URL;
  readonly #authorization: string;

  /**
   * @param given URI of the plugin. Without one, this is the host and the login of the broker, and the usual port; a URI
   * without a login gets that of the broker.
   * @throws {TypeError} If the URI is none.
   */
  constructor({ secure, host, user, password }: BrokerAddress, given?: string) {
    const at = host.includes(":") ? `[${host}]` : host;
    const base = new URL(given ?? (secure ? `https://${at}:15671` : `http://${at}:15672`));
    const [name, secret] = base.username === ""
      ? [user, password]
      : [decodeURIComponent(base.username), decodeURIComponent(base.password)];
    base.username = base.password = "";
    this.#base = base;
    this.#authorization = `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;
  }

  /** Scheme, host and port of the plugin, for messages. */
  get origin(): string {
    return this.#base.origin;
  }

  async send({ method = "GET", path, query, body, signal }: ManagementRequest): Promise<Response> {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/api/${path.map(encodeURIComponent).join("/")}`;
    if (query !== undefined) url.search = query;
    return await fetch(url, {
      method,
      headers: { authorization: this.#authorization, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      // Another host is not to get the login.
      redirect: "error",
      signal,
    });
  }
}
