import type { DependencySpec } from "../../../runtime/service/dependency.ts";
import type { Json, JsonResult } from "../../../runtime/service/json.ts";
import type { SocketCallOf } from "../websocket.ts";
import type { WebSocketHub } from "../hub/websocket_hub.ts";

/** Options of a single call. */
export interface SocketCallOptions {
  /** Milliseconds to wait for the answer, and for the connection before it. @default {30_000} */
  readonly timeout?: number;
  /** Aborting ends the wait. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode connectSocket}. */
export interface ConnectSocketOptions {
  /** Milliseconds that calls wait for their answers. @default {30_000} */
  readonly timeout?: number;
  /** Milliseconds before the first attempt to connect again; each further one waits twice as long. @default {500} */
  readonly retryAfter?: number;
  /** Milliseconds that attempts are apart at most. @default {30_000} */
  readonly retryLimit?: number;
}

/** What a call was answered with where it failed; `name` is the class that was thrown. */
export interface SocketError extends Error {
  /** Such as `"METHOD_NOT_FOUND"`; `"CONNECTION_LOST"` where nobody knows what became of the call. */
  readonly code: string;
  readonly data: unknown;
  /** Whether the same call may succeed if repeated. */
  readonly retryable: boolean;
}

/** A method of the service. */
export interface SocketMethod<Args extends readonly unknown[], Result> {
  /** Calls, and waits for the result. */
  (...args: Args): Promise<Result>;
  /** The same method with other options. */
  with(options: SocketCallOptions): SocketMethod<Args, Result>;
  /** Calls with arguments by name, as Nameko's services need them. */
  kwargs(named: Readonly<Record<string, unknown>>): Promise<Result>;
}

type SocketEntryOf<Entry> = Extract<
  Entry extends readonly (infer Each)[] ? Each : Entry,
  { readonly kind: "websocket" }
>;

type SocketMethodNames<Entrypoints> = {
  [Method in keyof Entrypoints]: [SocketEntryOf<Entrypoints[Method]>] extends [never] ? never : Method;
}[keyof Entrypoints];

/** What the entrypoint leaves unstated, the handler says. */
type SocketMethodOf<Call, Handler> = Call extends (...args: infer Args) => infer Result
  ? Handler extends (context: never, socketId: never, ...args: infer HandlerArgs) => infer HandlerResult
    ? SocketMethod<
      Args extends readonly never[] ? number extends Args["length"] ? HandlerArgs : Args : Args,
      JsonResult<Awaited<unknown extends Result ? HandlerResult : Result>>
    >
  : SocketMethod<Args, JsonResult<Awaited<Result>>>
  : never;

type HandlersIn<Target> = Target extends { readonly handlers: infer Handlers } ? Handlers : unknown;

/** The WebSocket methods of a service, with results as they arrive. */
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

type EventsIn<Target> = Target extends { readonly dependencies: infer Dependencies }
  ? [HubEvents<Dependencies>] extends [never] ? Readonly<Record<string, unknown>> : HubEvents<Dependencies>
  : Readonly<Record<string, unknown>>;

/** The events that a service's hub sends, with payloads as they arrive, and the one that every connection begins with. */
export type SocketEvents<Target> =
  & { readonly [Name in keyof EventsIn<Target>]: JsonResult<EventsIn<Target>[Name]> }
  & { readonly connected: Json<{ socket_id: string }> };

/** A connection to a service, which is made again whenever it is lost. */
export interface SocketClient<Target> extends AsyncDisposable {
  /** The service's methods. A call that is made while there is no connection waits for one. */
  readonly call: SocketMethods<Target>;
  /** Identifies the connection to the service; undefined while there is none. */
  readonly id: string | undefined;
  /**
   * Calls `listener` for each event of that name; the function that is returned ends it.
   *
   * A new connection has none of the subscriptions of the former: `connected`, which each one begins with, is
   * the time to ask for them again. What its listeners call goes before the calls that have been waiting.
   */
  on<Name extends keyof SocketEvents<Target> & string>(
    event: Name,
    listener: (data: SocketEvents<Target>[Name]) => void,
  ): () => void;
  /** Closes the connection for good; calls that wait are rejected. Idempotent. */
  close(): Promise<void>;
}
