import type { Duration } from "../../../runtime/waiting/duration.ts";
import type { DependencySpec } from "../../../runtime/service/dependency.ts";
import type { Json, JsonResult } from "../../../runtime/service/json.ts";
import type { SocketCallOf } from "../websocket.ts";
import type { WebSocketHub } from "../hub/websocket_hub.ts";

/** Options of a single call. */
export interface SocketCallOptions {
  /** Milliseconds to wait for the answer, including the wait for a connection. @default {30_000} */
  readonly timeout?: Duration;
  /** Signal that ends the wait when it aborts. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode connectSocket}. */
export interface ConnectSocketOptions {
  /** Milliseconds that calls wait for their answers. @default {30_000} */
  readonly timeout?: Duration;
  /**
   * Milliseconds before the first attempt to connect again. Each further attempt waits twice as long.
   *
   * @default {500}
   */
  readonly retryAfter?: Duration;
  /** Milliseconds that the wait between attempts never exceeds. @default {30_000} */
  readonly retryLimit?: Duration;
}

/** The error that a failed call rejects with. Its `name` is the name of the class that was thrown. */
export interface SocketError extends Error {
  /**
   * Code such as `"METHOD_NOT_FOUND"`. `"CONNECTION_LOST"` means that nobody knows the result of the call.
   */
  readonly code: string;
  /** What the service has sent beside the message; undefined if nothing. */
  readonly data: unknown;
  /** Whether the same call may succeed if the caller repeats it. */
  readonly retryable: boolean;
}

/** A method of the service. */
export interface SocketMethod<Args extends readonly unknown[], Result> {
  /** Calls the method and waits for the result. */
  (...args: Args): Promise<Result>;
  /** Returns the same method with other options. */
  with(options: SocketCallOptions): SocketMethod<Args, Result>;
  /** Calls the method with arguments by name, as Nameko's services need them. */
  kwargs(named: Readonly<Record<string, unknown>>): Promise<Result>;
}

/** @internal */
type SocketEntryOf<Entry> = Extract<
  Entry extends readonly (infer Each)[] ? Each : Entry,
  { readonly kind: "websocket" }
>;

/** @internal */
type SocketMethodNames<Entrypoints> = {
  [Method in keyof Entrypoints]: [SocketEntryOf<Entrypoints[Method]>] extends [never] ? never : Method;
}[keyof Entrypoints];

/**
 * A method's type. Types that the entrypoint does not state come from the handler.
 *
 * @internal
 */
type SocketMethodOf<Call, Handler> = Call extends (...args: infer Args) => infer Result
  ? Handler extends (context: never, socketId: never, ...args: infer HandlerArgs) => infer HandlerResult
    ? SocketMethod<
      Args extends readonly never[] ? number extends Args["length"] ? HandlerArgs : Args : Args,
      JsonResult<Awaited<unknown extends Result ? HandlerResult : Result>>
    >
  : SocketMethod<Args, JsonResult<Awaited<Result>>>
  : never;

/** @internal */
type HandlersIn<Target> = Target extends { readonly handlers: infer Handlers } ? Handlers : unknown;

/** The WebSocket methods of a service. The results have the types that JSON gives them on arrival. */
export type SocketMethods<Target> = Target extends { readonly entrypoints: infer Entrypoints } ? {
    readonly [Method in SocketMethodNames<Entrypoints>]: SocketMethodOf<
      SocketCallOf<SocketEntryOf<Entrypoints[Method]>>,
      Method extends keyof HandlersIn<Target> ? HandlersIn<Target>[Method] : undefined
    >;
  }
  : { readonly [method: string]: SocketMethod<readonly unknown[], unknown> };

type HubEvents<Dependencies> = {
  [Key in keyof Dependencies]: Dependencies[Key] extends DependencySpec<infer Injected>
    ? Injected extends WebSocketHub<infer Events> ? Events : never
    : never;
}[keyof Dependencies];

/** @internal */
type EventsIn<Target> = Target extends { readonly dependencies: infer Dependencies }
  ? [HubEvents<Dependencies>] extends [never] ? Readonly<Record<string, unknown>> : HubEvents<Dependencies>
  : Readonly<Record<string, unknown>>;

/**
 * The events that a service's hub sends, and the event `connected`, which begins each connection.
 *
 * The payloads have the types that JSON gives them on arrival.
 */
export type SocketEvents<Target> =
  & { readonly [Name in keyof EventsIn<Target>]: JsonResult<EventsIn<Target>[Name]> }
  & { readonly connected: Json<{ socket_id: string }> };

/** A connection to a service. The client connects again whenever the connection is lost. */
export interface SocketClient<Target> extends AsyncDisposable {
  /** The methods of the service. A call that is made without a connection waits for a connection. */
  readonly call: SocketMethods<Target>;
  /** Id of the connection at the service; undefined while there is no connection. */
  readonly id: string | undefined;
  /**
   * Calls `listener` for each event of that name. The returned function removes the listener.
   *
   * A new connection has none of the subscriptions of the former connection. Each connection begins with the
   * event `connected`, and a listener for it can subscribe again. The calls of this listener go before the
   * calls that have been waiting.
   */
  on<Name extends keyof SocketEvents<Target> & string>(
    event: Name,
    listener: (data: SocketEvents<Target>[Name]) => void,
  ): () => void;
  /** Closes the connection for good and rejects the calls that wait. Idempotent. */
  close(): Promise<void>;
}
