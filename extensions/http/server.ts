/**
 * The HTTP server of a process. All services share it.
 *
 * The server knows paths, but no services: each rule leads to a {@linkcode RequestHandler}. The server itself
 * does the work that is the same for all requests: it gives each an id, adds cross-origin headers and
 * `Allow`, answers health checks, and writes a line to the log.
 */
import { within } from "../../runtime/waiting/abort.ts";
import type { HttpSettings } from "./settings.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import { boundText } from "../../runtime/log/bounded_text.ts";
import type { Log } from "../../runtime/log/log.ts";
import { crossOriginHeaders, preflightHeaders } from "./response/cross_origin.ts";
import type { AccessLog } from "./access_log.ts";
import { AllowedHosts } from "./request/allowed_hosts.ts";
import { formatListenAddress, type ListenAddress } from "./listening/listen_address.ts";
import { OngoingResponses } from "./clients/ongoing_responses.ts";
import {
  BrokenStream,
  LARGE_BODY,
  type OutgoingResponse,
  piecewise,
  plainResponse,
  type SentBody,
} from "./response/outgoing_response.ts";
import { headerOf, type ResponseHead } from "./request/head.ts";
import { REQUEST_ID, requestIdOf } from "./request/request_id.ts";
import { folderPath, pathOf, UrlCheck } from "./request/url.ts";
import { fieldsOf } from "./response/response_fields.ts";
import { type Match, Router } from "./routing/router.ts";
import type { OwnPages } from "./health/own_pages.ts";
import type { RequestCounts } from "./request_counts.ts";
import type { IncomingRequest, RequestHandler } from "./request_handler.ts";
import { parseRule, type Rule } from "./routing/rule.ts";
import { SlowClients } from "./clients/slow_clients.ts";
import { clearSocketFile } from "./listening/socket_file.ts";
import type { RequestSpan } from "../../runtime/telemetry/telemetry.ts";
import { traceparentOf } from "./request/trace_context.ts";
import { type UpgradeHandler, upgradeRoute } from "./upgrade.ts";
import { listenError } from "./listening/listen_failure.ts";
import { type PortShare, sharedPortOptions } from "./listening/shared_port.ts";
import { isAboutPem, readPem } from "./listening/pem_file.ts";

/** Options of {@linkcode HttpServer}. */
export interface HttpServerOptions extends HttpSettings {
  readonly log: Log;
  /**
   * Names a request as a span of its trace.
   *
   * @default {the span that the client names, if any}
   */
  readonly trace?: ((given: string | undefined) => RequestSpan) | undefined;
  /** Gets what the log says about requests. @default {the log says nothing about them} */
  readonly accessLog?: AccessLog | undefined;
  /** What the server answers about the process itself. */
  readonly own: OwnPages;
  /** Counts the requests. @default {they are not counted} */
  readonly counts?: RequestCounts | undefined;
  /** What chooses the address, for messages. */
  readonly setting: string;
  /** The place of the process among those that share the address. @default {it is its own} */
  readonly share?: PortShare | undefined;
}

/** Milliseconds that connections have to send their last bytes, where nothing reports that these are sent. */
const FLUSH_TIME = 1_000;

/** Serves the rules of all services, from {@linkcode HttpServer.listen} on. */
export class HttpServer implements AsyncDisposable {
  /** Watches the clients of all services, and the bytes that the server holds for them. */
  readonly clients: SlowClients;
  readonly #options: HttpServerOptions;
  readonly #address: ListenAddress;
  readonly #router = new Router<RequestHandler>();
  readonly #upgrades: UpgradeHandler[] = [];
  /** The server counts ongoing responses only where there are upgrades. */
  readonly #ongoing = new OngoingResponses();
  readonly #urls: UrlCheck;
  #refusing = false;
  /** Whether the server answers only health checks, and refuses all other requests. */
  #starting = false;
  #opening: Promise<void> | undefined;
  #server: Deno.HttpServer<Deno.Addr> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#address = options.address;
    this.#urls = new UrlCheck(options.hosts && new AllowedHosts(options.hosts));
    this.clients = new SlowClients({
      ...options,
      onGivenUp: (reason) => options.log.info(`Gave up an HTTP client: ${reason}`),
    });
  }

  /** URL at which the server listens; undefined while it does not listen. */
  get url(): string | undefined {
    const address = this.#server?.addr;
    if (address === undefined) return undefined;
    if (!("hostname" in address)) return formatListenAddress(this.#address);
    const { hostname, port } = address;
    return `${this.#options.tls === undefined ? "http" : "https"}://${
      formatListenAddress({ hostname, port })
    }`;
  }

  /** Whether the server takes in no more requests, because it closes or has closed. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Adds a rule for several methods.
   *
   * @throws {ConfigurationError} If another service, or the same owner, has the same rule.
   */
  add(methods: readonly string[], rule: Rule, handler: RequestHandler): void {
    for (const method of methods) {
      this.#router.add(
        method,
        rule,
        handler,
        ({ name }) => name,
        (other) => handler.service === other.service && handler.owner !== other.owner,
      );
    }
  }

  /**
   * Hands the connections at a path over to a handler, which closes them before the server closes.
   *
   * @throws {ConfigurationError} If another handler has this path.
   */
  addUpgrade(path: string, handler: UpgradeHandler): void {
    this.add(["GET"], parseRule(path), upgradeRoute(handler));
    this.#upgrades.push(handler);
  }

  /** Removes the rules of some handlers. The server goes on listening. */
  remove(isRemoved: (handler: RequestHandler) => boolean): void {
    this.#router.remove(isRemoved);
  }

  /**
   * Begins to listen, if there is anything to serve.
   *
   * @throws {ConfigurationError} If the server cannot listen at its address.
   */
  async listen(): Promise<void> {
    this.#starting = false;
    if (this.#router.methods.size > 0) await (this.#opening ??= this.#open());
  }

  /**
   * Begins to listen before the services can run. Until {@linkcode HttpServer.listen}, the server tells
   * health checks that the process lives and is not ready, and refuses all other requests.
   *
   * @throws {ConfigurationError} If the server cannot listen at its address.
   */
  async listenForHealth(): Promise<void> {
    if (!this.#options.own.hasAny) return;
    this.#starting = true;
    await (this.#opening ??= this.#open());
  }

  async #open(): Promise<void> {
    if (this.#closing !== undefined) return;
    const { tls, setting, share } = this.#options;
    const certificate = tls &&
      { cert: readPem(tls.cert, "HTTP_TLS.cert"), key: readPem(tls.key, "HTTP_TLS.key") };
    if ("path" in this.#address) await clearSocketFile(this.#address.path, setting);
    if (this.#closing !== undefined) return;
    const options = { automaticCompression: true, onListen() {}, onError: this.#onError };
    try {
      const shared = sharedPortOptions(this.#address, share);
      this.#server = "path" in this.#address
        ? Deno.serve({ ...options, ...this.#address }, this.#answer)
        : Deno.serve({ ...options, ...this.#address, ...certificate, ...shared }, this.#answer);
    } catch (error) {
      if (tls !== undefined && isAboutPem(error)) {
        throw new ConfigurationError(
          `Cannot use HTTP_TLS with cert ${tls.cert} and key ${tls.key}: ${error.message}. Both must be ` +
            "PEM files that belong together",
          { cause: error },
        );
      }
      throw listenError(formatListenAddress(this.#address), error, setting);
    }
  }

  /** Closes the listener, and resolves when all responses have been sent. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#upgrades.length === 0 ? this.#shutDown() : this.#closeUpgrades();
  }

  async #shutDown(): Promise<void> {
    const shutdown = this.#server?.shutdown() ?? Promise.resolve();
    const isHeldUp = this.#upgrades.some((handler) => handler.hasUnopened());
    await (isHeldUp ? this.#sent(shutdown) : shutdown);
    this.clients.stop();
    this.#options.accessLog?.flush();
  }

  /**
   * Waits until all responses have been sent. For Deno, a connection that is reset during its takeover never
   * ends. So the count of ongoing responses tells when all have been sent.
   */
  async #sent(shutdown: Promise<void>): Promise<void> {
    await Promise.race([shutdown, this.#ongoing.none()]);
    await within(FLUSH_TIME, shutdown);
  }

  /**
   * Closes the connections that upgrade handlers have taken over, and then the server. In the other order,
   * the shutdown of the server would cut these connections.
   */
  async #closeUpgrades(): Promise<void> {
    this.#refusing = true;
    await Promise.all(this.#upgrades.map((handler) => handler.close()));
    await this.#shutDown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #answer = async (request: Request, info: Deno.ServeHandlerInfo): Promise<Response> => {
    const start = performance.now();
    if (this.#upgrades.length > 0) this.#ongoing.add(info.completed);
    const { method, url } = request;
    const path = pathOf(url);
    const headers: string[] = [];
    request.headers.forEach((value, name) => headers.push(name, value));
    const { accessLog, trace } = this.#options;
    const isLogged = accessLog?.isShown === true;
    const id = requestIdOf(headers, isLogged);
    const host = headerOf(headers, "host");
    const verdict = this.#urls.check(url, host);
    const traceparent = traceparentOf(headers);
    const incoming = {
      request,
      method,
      url,
      headers,
      id,
      at: start,
      traceparent,
      trace: trace?.(traceparent) ?? { parent: traceparent },
    };
    const facts = isLogged
      ? {
        ...("hostname" in info.remoteAddr && { client: info.remoteAddr.hostname }),
        ...(verdict === "misdirected" && { host: boundText(host || url) }),
      }
      : undefined;
    const found = this.#starting || this.#refusing || verdict === "invalid"
      ? undefined
      : this.#find(method, path);
    const response = verdict === "valid"
      ? await this.#route(incoming, method, path, found)
      : this.#refuse(verdict, method, path, found);
    const route = found?.rule.source ?? (this.#asksForOwn(method, path) ? path : undefined);
    this.#options.counts?.count(method, route, response.head.status, performance.now() - start);
    const isLarge = typeof response.bytes === "number" && response.bytes > LARGE_BODY && method !== "HEAD";
    const { head, body, bytes } = isLarge ? piecewise(response, this.clients) : response;
    if (facts !== undefined) {
      const record = (sent: number | SentBody) =>
        accessLog?.add({ incoming, path, status: head.status, sent, facts });
      if (method === "HEAD") record(0);
      else if (typeof bytes === "number") record(bytes);
      else void bytes.then(record);
    }
    if (response.upgraded !== undefined) return response.upgraded;
    const plain = new Response(body ?? null, { status: head.status, headers: fieldsOf(head.headers) });
    return this.#hasMarks(incoming) ? this.#mark(plain, head, incoming) : plain;
  };

  /** Returns whether a response may need more headers than those of its handler. Deno is faster without them. */
  #hasMarks({ id, traceparent }: IncomingRequest): boolean {
    const { cors, share } = this.#options;
    return id !== undefined || traceparent !== undefined || cors !== undefined || share !== undefined;
  }

  /** Adds the headers that a response needs beside those of its handler. */
  #mark(
    response: Response,
    { headers: given }: ResponseHead,
    { headers: asked, id, traceparent }: IncomingRequest,
  ): Response {
    const { headers } = response;
    if (id !== undefined && headerOf(given, REQUEST_ID) === undefined) headers.append(REQUEST_ID, id);
    if (traceparent !== undefined && headerOf(given, "traceparent") === undefined) {
      headers.append("traceparent", traceparent);
    }
    const { cors, share } = this.#options;
    if (share?.leaving.aborted) headers.set("connection", "close");
    if (cors !== undefined && headerOf(given, "access-control-allow-origin") === undefined) {
      for (const [name, value] of crossOriginHeaders(headerOf(asked, "origin"), cors)) {
        headers.append(name, value);
      }
    }
    return response;
  }

  #route(
    incoming: IncomingRequest,
    method: string,
    path: string,
    found: Match<RequestHandler> | undefined,
  ): OutgoingResponse | Promise<OutgoingResponse> {
    const { own } = this.#options;
    if (this.#starting) {
      return this.#asksForOwn(method, path)
        ? own.answer(path)
        : plainResponse(503, "Starting\n", [["retry-after", "1"]]);
    }
    if (this.#refusing) return plainResponse(503, "Service Unavailable\n", [["connection", "close"]]);
    if (found !== undefined) return found.target.handle(incoming, found.params);
    const { request } = incoming;
    if (this.#asksForOwn(method, path)) return own.answer(path);
    const allowed = this.#allowed(path);
    if (allowed.length > 0) {
      if (method !== "OPTIONS") {
        return plainResponse(405, "Method Not Allowed\n", [["allow", allowed.join(", ")]]);
      }
      const { cors } = this.#options;
      const isPreflight = cors !== undefined && request.headers.has("access-control-request-method");
      return plainResponse(204, undefined, [
        ["allow", allowed.join(", ")],
        ...(isPreflight ? preflightHeaders(request, allowed, cors) : []),
      ]);
    }
    const folder = this.#folderOf(path, request.url);
    if (folder !== undefined) return plainResponse(308, undefined, [["location", folder]]);
    return plainResponse(404, "Not Found\n");
  }

  /**
   * Answers a request whose URL is wrong. Whoever asks about the process itself may name any host: probes often
   * know only an address.
   */
  #refuse(
    verdict: "invalid" | "misdirected",
    method: string,
    path: string,
    found: Match<RequestHandler> | undefined,
  ): OutgoingResponse {
    if (verdict === "invalid") return plainResponse(400, "Bad Request\n");
    const isOwn = found === undefined && this.#asksForOwn(method, path);
    return isOwn ? this.#options.own.answer(path) : plainResponse(421, "Misdirected Request\n");
  }

  #asksForOwn(method: string, path: string): boolean {
    return (method === "GET" || method === "HEAD") && this.#options.own.has(path);
  }

  /**
   * Finds the handler of a request. A rule for `GET` also answers `HEAD`. Where no rule fits a path with
   * double slashes, each of them counts as a single slash.
   */
  #find(method: string, path: string): Match<RequestHandler> | undefined {
    const found = this.#router.find(method, path) ??
      (method === "HEAD" ? this.#router.find("GET", path) : undefined);
    return found ?? (path.includes("//") ? this.#find(method, path.replaceAll(/\/{2,}/g, "/")) : undefined);
  }

  /**
   * Returns the location for a request whose path lacks the last slash of a rule; undefined for other
   * requests. The location is always a path of this server, also in the reading of a browser.
   */
  #folderOf(path: string, url: string): string | undefined {
    if (path.endsWith("/") || this.#allowed(`${path}/`).length === 0) return undefined;
    const { pathname, search } = new URL(url);
    // A location that begins with two slashes would name another server.
    const folder = folderPath(pathname);
    return this.#allowed(folder).length > 0 ? folder + search : undefined;
  }

  #allowed(path: string): readonly string[] {
    const methods = [...this.#router.methods].filter((method) => this.#find(method, path) !== undefined);
    if (this.#options.own.has(path)) methods.push("GET");
    if (methods.length === 0) return methods;
    if (methods.includes("GET")) methods.push("HEAD");
    return [...new Set([...methods, "OPTIONS"])].sort();
  }

  readonly #onError = (error: unknown): Response => {
    if (!(error instanceof BrokenStream)) this.#options.log.error("Cannot answer an HTTP request", { error });
    return new Response("Internal Server Error\n", { status: 500 });
  };
}
