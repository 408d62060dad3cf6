import { HeldCalls } from "../../runtime/hosting/held_calls.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import { BadResultError, ContainerStoppingError } from "../../runtime/message/errors.ts";
import { describeFailure } from "../../runtime/message/failure.ts";
import type { Outcome } from "../../runtime/message/outcome.ts";
import type { ChangeHead, ConnectionHead } from "./connection.ts";
import type { SocketRequest } from "./sockets/socket.ts";
import type { SocketServer } from "./sockets/socket_server.ts";
import { encodeFailure, encodeResult } from "./wire.ts";

/** Serves the WebSocket methods of a service through the sockets of the process. */
export class WebSocketHost implements Entrypoint {
  readonly #entries: readonly HostedEntrypoint[];
  readonly #host: EntrypointHost;
  readonly #sockets: SocketServer;
  readonly #calls: HeldCalls;
  #replaced = false;

  constructor(entries: readonly HostedEntrypoint[], host: EntrypointHost, sockets: SocketServer) {
    this.#entries = entries;
    this.#host = host;
    // The clients of the other services are not to be cut short with this one.
    this.#calls = new HeldCalls(host, () => this.#replaced || sockets.abort());
    this.#sockets = sockets;
  }

  /**
   * Adds the service's methods to the paths that they name.
   *
   * @throws {ConfigurationError} If another service has a method of the same name at the same path.
   */
  setup(): Promise<void> {
    const { service } = this.#host;
    try {
      for (const entry of this.#entries) {
        this.#sockets.add(String(entry.options.path), entry.method, {
          name: `${service}.${entry.method}`,
          service,
          owner: this,
          handle: (request) => this.#handle(entry, request),
        });
      }
      return Promise.resolve();
    } catch (error) {
      this.#sockets.remove(this);
      return Promise.reject(error);
    }
  }

  /** Does nothing: the server begins to listen when all services run. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Stops the methods, and waits for the calls that are here. These calls cannot go back to a queue, as
   * messages can.
   *
   * Unless `replaced` is true, the server takes no more clients, for any service.
   *
   * @param options.replaced Whether only the methods go and the clients stay.
   */
  async stop({ replaced = false }: { readonly replaced?: boolean } = {}): Promise<void> {
    this.#replaced = replaced;
    if (replaced) this.#sockets.remove(this);
    else void this.#sockets.close();
    await this.#calls.finished();
  }

  /** Waits until the server has sent the clients away, or until the container must stop at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#replaced) await this.#calls.orAborted(this.#sockets.close());
  }

  async #handle(entry: HostedEntrypoint, request: SocketRequest): Promise<string> {
    this.#calls.enter();
    try {
      return this.#toAnswer(
        await this.#calls.run(entry, toPayload(request), request.cancellation),
        request,
      );
    } finally {
      this.#calls.leave();
    }
  }

  #toAnswer(outcome: Outcome, { socket, correlationId }: SocketRequest): string {
    const { service } = this.#host;
    if (outcome.status === "failed") return encodeFailure(outcome.failure, service, correlationId);
    if (outcome.status === "unstarted") {
      const error = new ContainerStoppingError("Cannot run the call: the service is stopping");
      return encodeFailure(describeFailure(error), service, correlationId);
    }
    // Service code may have written the reply, and then it may be anything.
    const { body, head } = outcome;
    const { state, failure } = (head ?? {}) as { readonly [Key in keyof ChangeHead]?: unknown };
    if (typeof state === "string") socket.state = state;
    if (failure === undefined && typeof body === "string") return encodeResult(body, correlationId);
    const thrown = failure ??
      new BadResultError("Cannot answer a request: the result of its handler is no text");
    return encodeFailure(describeFailure(thrown), service, correlationId);
  }
}

function toPayload({ socket, text }: SocketRequest): Payload {
  const { url, headers } = socket.request;
  const head: ConnectionHead = { socketId: socket.id, url, headers, state: socket.state };
  return {
    body: text,
    contentType: undefined,
    headers: undefined,
    message: head,
  };
}
