import { transportableBody } from "../../runtime/message/payload/transportable_body.ts";
import { CallTimeoutError } from "../../runtime/message/errors.ts";
import { HeldCalls } from "../../runtime/hosting/held_calls.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import { describeFailure, type Failure } from "../../runtime/message/failure.ts";
import { failed, type Outcome } from "../../runtime/message/outcome.ts";
import { Departures } from "./clients/departures.ts";
import {
  completeResponse,
  type OutgoingResponse,
  type StreamedResponse,
  streamedResponse,
  streamlessResponse,
} from "./response/outgoing_response.ts";
import { readRequestBody } from "./request/body.ts";
import { encodeRequestHead, headerOf } from "./request/head.ts";
import { REQUEST_ID } from "./request/request_id.ts";
import { recallHead } from "./response/response_fields.ts";
import type { Params } from "./routing/router.ts";
import { parseRule } from "./routing/rule.ts";
import { type ContextHeaders, contextOf } from "./request/context_headers.ts";
import type { HttpServer } from "./server.ts";
import type { IncomingRequest } from "./request_handler.ts";

/** Serves the paths of one service through the HTTP server of the process. */
export class HttpHost implements Entrypoint {
  readonly #entries: readonly HostedEntrypoint[];
  readonly #host: EntrypointHost;
  readonly #server: HttpServer;
  readonly #maxBody: number;
  readonly #contextHeaders: ContextHeaders | undefined;
  readonly #departures: Departures;
  readonly #streams = new Set<StreamedResponse>();
  readonly #calls: HeldCalls;
  #replaced = false;
  #paused = false;

  /**
   * @param maxBody Bytes that the body of a request may have.
   * @param contextHeaders Headers that become context data; undefined for none.
   */
  constructor(
    entries: readonly HostedEntrypoint[],
    host: EntrypointHost,
    server: HttpServer,
    maxBody: number,
    contextHeaders?: ContextHeaders,
  ) {
    this.#entries = entries;
    this.#host = host;
    this.#calls = new HeldCalls(host);
    this.#departures = new Departures(host.clock);
    this.#server = server;
    this.#maxBody = maxBody;
    this.#contextHeaders = contextHeaders;
  }

  /**
   * Adds the rules of the service to the server.
   *
   * @throws {ConfigurationError} If another entrypoint has the same rule.
   */
  setup(): Promise<void> {
    try {
      for (const entry of this.#entries) this.#add(entry);
      return Promise.resolve();
    } catch (error) {
      this.#removeRules();
      return Promise.reject(error);
    }
  }

  /** Does nothing: the server begins to listen when all services run. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Closes the listener of all services, tells streams to end, and waits for the requests that have arrived.
   * It has to wait: a message can go back to its queue, but a request cannot.
   *
   * @param options.replaced Whether to remove only the rules of this host, and leave the listener open.
   * @param options.paused Whether the rules stay and answer 503, until the service starts again.
   */
  async stop(
    { replaced = false, paused = false }: { readonly replaced?: boolean; readonly paused?: boolean } = {},
  ): Promise<void> {
    this.#replaced = replaced;
    this.#paused = paused;
    if (!replaced) void this.#server.close();
    else if (!paused) this.#removeRules();
    const finished = this.#calls.finished();
    for (const stream of this.#streams) stream.stop();
    await finished;
  }

  /** Waits until the clients have received their responses, or until the container must stop at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#departures.stop();
    if (this.#replaced) return;
    await this.#calls.orAborted(this.#server.close());
    if (this.#host.signal.aborted) this.#server.clients.abandon();
  }

  #removeRules(): void {
    this.#server.remove(({ owner }) => owner === this);
  }

  #add(entry: HostedEntrypoint): void {
    const { service } = this.#host;
    const { methods, rule } = entry.options;
    const isPaused = () => this.#paused;
    this.#server.add(methods as readonly string[], parseRule(String(rule)), {
      name: `${service}.${entry.method}`,
      service,
      owner: this,
      get isPaused() {
        return isPaused();
      },
      handle: (incoming, params) => this.#paused ? STOPPED : this.#handle(entry, incoming, params),
    });
  }

  async #handle(
    entry: HostedEntrypoint,
    incoming: IncomingRequest,
    params: Params,
  ): Promise<OutgoingResponse> {
    this.#calls.enter();
    const { request, method, headers, id } = incoming;
    try {
      const length = headerOf(headers, "content-length");
      const reading = readRequestBody(incoming, length, this.#maxBody, this.#server.clients);
      const body = reading instanceof Promise ? await reading : reading;
      if (body === "stalled") return refusal(408, "RequestTimeout", "The body did not arrive in time");
      if (body === "incomplete") return refusal(400, "BadRequest", "The body is incomplete");
      if (body === "too large") {
        return refusal(413, "ContentTooLarge", `The body may have ${this.#maxBody} bytes at most`);
      }
      const payload = toPayload(incoming, params, body, this.#contextHeaders);
      const outcome = entry.timeout === undefined
        ? await this.#calls.run(entry, payload, this.#departures.watch(request))
        : await this.#runWithin(entry.timeout, request, entry, payload);
      this.#departures.forget(request);
      return this.#toResponse(outcome, method, id);
    } finally {
      this.#calls.leave();
    }
  }

  #toResponse(outcome: Outcome, method: string, id: string | undefined): OutgoingResponse {
    if (outcome.status !== "done") return toRefusal(outcome, id);
    const head = recallHead(outcome.head);
    if (outcome.stream === undefined) return completeResponse(head, outcome.body);
    if (method !== "HEAD") return this.#opened(streamedResponse(head, outcome.stream, this.#server.clients));
    outcome.stream.cancel();
    return streamlessResponse(head);
  }

  #opened(response: StreamedResponse): StreamedResponse {
    this.#streams.add(response);
    void response.bytes.then(() => this.#streams.delete(response));
    if (this.#calls.stopping) response.stop();
    return response;
  }

  /**
   * Runs a call whose timeout includes the wait for a thread. The pool's own timeout begins only when the
   * call has a thread.
   */
  #runWithin(
    timeout: number,
    request: Request,
    entry: HostedEntrypoint,
    payload: Payload,
  ): Promise<Outcome> {
    const { clock } = this.#host;
    const answerBy = clock.now() + timeout;
    return new Promise((resolve) => {
      let expired = false;
      const cancellation = this.#departures.watch(request, {
        at: clock.steady() + timeout,
        onExpired() {
          expired = true;
          resolve(EXPIRED);
        },
      });
      void this.#calls.run(entry, { ...payload, answerBy }, cancellation).then((outcome) => {
        if (expired && outcome.status === "done") outcome.stream?.cancel();
        resolve(outcome);
      });
    });
  }
}

const EXPIRED = failed(describeFailure(
  new CallTimeoutError("Cannot begin the response: its time is up"),
));

const STOPPED = completeResponse(
  { status: 503, headers: ["content-type", "application/json", "retry-after", "1"] },
  JSON.stringify({ error: "ServiceUnavailable", message: "The service is stopped" }),
);

function toPayload(
  { method, url, headers, id, at, trace }: IncomingRequest,
  params: Params,
  body: Uint8Array<ArrayBuffer> | undefined,
  contextHeaders: ContextHeaders | undefined,
): Payload {
  const contentType = headerOf(headers, "content-type");
  return {
    body: body && transportableBody(
      body,
      contentType,
      headerOf(headers, "content-encoding") !== undefined,
    ),
    contentType,
    headers: contextOf(headers, contextHeaders),
    parent: trace.parent,
    span: trace.span,
    // The time that a body takes to come is not the service's.
    at: body === undefined ? at : undefined,
    message: encodeRequestHead({ method, url, headers, params, id }),
  };
}

function toRefusal(
  outcome: Exclude<Outcome, { readonly status: "done" }>,
  id: string | undefined,
): OutgoingResponse {
  if (outcome.status === "unstarted") {
    return refusal(503, "ServiceUnavailable", "The service is stopping");
  }
  switch (outcome.failure.code) {
    case "TIMEOUT":
      return refusal(504, "GatewayTimeout", "The service took too long to respond");
    case "WORKER_LOST":
      return refusal(503, "ServiceUnavailable", "The service lost the request");
    case "RATE_LIMITED":
      return refusal(
        429,
        "TooManyRequests",
        "There are too many requests",
        undefined,
        retryAfter(outcome.failure),
      );
    case "BULKHEAD_FULL":
      return refusal(503, "ServiceUnavailable", "Too many requests wait already", undefined, 1);
    default:
      return refusal(
        500,
        "InternalServerError",
        "The service failed to handle the request",
        id ?? crypto.randomUUID(),
      );
  }
}

/** Returns the whole seconds until a request may come again. */
function retryAfter({ data }: Failure): number {
  const { retryAfter: milliseconds } = Object(data) as { readonly retryAfter?: unknown };
  return typeof milliseconds === "number" ? Math.max(1, Math.ceil(milliseconds / 1_000)) : 1;
}

/**
 * Makes the response to a request that no handler has answered.
 *
 * @param request Id of the request, for a fault that the client may tell of.
 * @param retryAfter Seconds after which the client may try again.
 */
function refusal(
  status: number,
  error: string,
  message: string,
  request?: string,
  retryAfter?: number,
): OutgoingResponse {
  const body = JSON.stringify({ error, message, request });
  const headers = ["content-type", "application/json"];
  if (request !== undefined) headers.push(REQUEST_ID, request);
  if (retryAfter !== undefined) headers.push("retry-after", String(retryAfter));
  return completeResponse({ status, headers }, body);
}
