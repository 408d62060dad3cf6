/**
 * The state that the calls of one connection share, although they run in different threads.
 *
 * Invariant: a call sees what the calls before it have written. The main thread keeps the state with the
 * socket, as text. The state travels with each call and comes back with the call's outcome. The requests of a
 * socket run strictly one after another, so no two calls have the state at the same time. A call that is lost
 * with its thread, or that runs out of time, has changed nothing.
 */
import { encodeJson } from "../../runtime/message/codec.ts";
import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import type { Failure } from "../../runtime/message/failure.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";

/**
 * The connection that a call came over. In a call that did not come over a WebSocket, each property throws.
 */
export interface WebSocketConnection<State> {
  /** Id of the socket, by which the hub knows it, too. */
  readonly socketId: string;
  /** URL of the request that opened the connection. */
  readonly url: string;
  /** Headers of the same request, including cookies. */
  readonly headers: Headers;
  /** Any JSON. Later calls on this socket read what a call writes here. The state is empty at first. */
  readonly state: Partial<State>;
}

/**
 * Declares a dependency on the connection that a call came over.
 *
 * @example
 * ```ts
 * import { service, websocket, websocketConnection } from "@enoki/enoki";
 *
 * export default service("names", {
 *   dependencies: { connection: websocketConnection<{ name: string }>() },
 *   entrypoints: { enter: websocket(), whoami: websocket() },
 *   handlers: {
 *     enter({ connection }, _socketId, name: string) {
 *       connection.state.name = name;
 *     },
 *     whoami: ({ connection }) => connection.state.name ?? "nobody",
 *   },
 * });
 * ```
 */
export function websocketConnection<State extends object = Record<string, unknown>>(): DependencySpec<
  WebSocketConnection<State>
> {
  return dependency({
    bind: ({ key }) => ({
      get: (call) => connectionOf(call) ?? new NoConnection(key, call),
    }),
  });
}

const CONNECTIONS = new WeakMap<Call, CallConnection>();

/** Gives a call its share in the connection, and returns the socket's id. */
export function enterConnection({ message }: Payload, call: Call): string {
  const head = message as ConnectionHead;
  CONNECTIONS.set(call, new CallConnection(head));
  return head.socketId;
}

/**
 * Returns the state of the connection if the call has changed the state, otherwise undefined.
 *
 * The caller asks once, when the handler has ended.
 *
 * @throws {TypeError} If the state is not JSON. The connection then keeps its former state.
 */
export function changedState(call: Call): string | undefined {
  return connectionOf(call)?.changed();
}

function connectionOf(call: Call): CallConnection | undefined {
  return CONNECTIONS.get(call);
}

class CallConnection implements WebSocketConnection<object> {
  readonly #head: ConnectionHead;
  #headers: Headers | undefined;
  #state: object | undefined;

  constructor(head: ConnectionHead) {
    this.#head = head;
  }

  get socketId(): string {
    return this.#head.socketId;
  }

  get url(): string {
    return this.#head.url;
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers();
      const flat = this.#head.headers;
      for (let at = 0; at < flat.length; at += 2) this.#headers.append(flat[at]!, flat[at + 1]!);
    }
    return this.#headers;
  }

  get state(): object {
    return this.#state ??= JSON.parse(this.#head.state);
  }

  changed(): string | undefined {
    const state = this.#state;
    if (state === undefined) return undefined;
    this.#state = undefined;
    let text: string;
    try {
      text = encodeJson(state);
    } catch (error) {
      throw new TypeError(`Cannot keep the state of the connection: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return text === this.#head.state ? undefined : text;
  }
}

class NoConnection implements WebSocketConnection<object> {
  readonly #key: string;
  readonly #call: Call;

  constructor(key: string, call: Call) {
    this.#key = key;
    this.#call = call;
  }

  get socketId(): never {
    return this.#refuse();
  }

  get url(): never {
    return this.#refuse();
  }

  get headers(): never {
    return this.#refuse();
  }

  get state(): never {
    return this.#refuse();
  }

  #refuse(): never {
    const { service, method } = this.#call;
    throw new TypeError(
      `Cannot use dependency "${this.#key}" in "${service}.${method}": the call did not come over a WebSocket`,
    );
  }
}

/** The facts about a connection that a thread gets with each call. */
export interface ConnectionHead extends PlainRecord {
  readonly socketId: string;
  /** URL of the request that opened the connection. */
  readonly url: string;
  /** Headers of the same request: names and values in turn. */
  readonly headers: readonly string[];
  /** The state that the calls of the connection share, as JSON. */
  readonly state: string;
}

/** The facts that the main thread gets about a call that has changed the state of its connection. */
export interface ChangeHead {
  readonly state: string;
  /** The failure, if the call failed. The changed state counts nevertheless. */
  readonly failure?: Failure;
}
