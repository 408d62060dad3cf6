/** What a test does with its services, as types: the names of methods and events, and what goes along with them. */
import type { Duration } from "../../runtime/waiting/duration.ts";
import type { HandlerOf } from "../../runtime/service/checked/asked_handlers.ts";
import type { Contract, Injected } from "../../runtime/service/service.ts";
import type { DependencyTable } from "../../runtime/service/dependency.ts";
import type { ServiceContainer } from "../../runtime/serving/service_container.ts";
import type { ServiceOrModule } from "../../runtime/serving/service_source.ts";
import type { DispatchOptions } from "../events/event_message.ts";
import type { EventsOf } from "../events/event_source.ts";
import type { PublishOptions } from "../messaging/outgoing_message.ts";
import type { CallOptions, Client, ClientMethod } from "../rpc/client.ts";
import type { ConnectSocketOptions, SocketClient } from "../websocket/browser/socket_client.ts";
import type { TestCallOutcome } from "./call_content.ts";
import type { TestCall } from "./call_journal.ts";

/**
 * Services, or the modules that export them.
 *
 * @internal
 */
export type Given = readonly ServiceOrModule[];

/**
 * The services whose types are known.
 *
 * @internal
 */
type Known<Services extends Given> = Extract<Services[number], Contract>;

/** `string` if there are services of which only the module is known. */
type Unknown<Services extends Given> = Exclude<Services[number], Contract> extends never ? never : string;

/** @internal */
type Named<Services extends Given, Name> = Extract<Known<Services>, { readonly name: Name }>;

type MethodsOf<Each> = Each extends Contract<infer Name, infer Entrypoints>
  ? `${Name}.${keyof Entrypoints & string}`
  : never;

type RpcMethodsOf<Each> = Each extends Contract<infer Name> ? `${Name}.${keyof Client<Each> & string}`
  : never;

/**
 * Methods as `service.method`.
 *
 * @internal
 */
export type MethodName<Services extends Given> = MethodsOf<Known<Services>> | Unknown<Services>;

/**
 * Methods that can be called by RPC.
 *
 * @internal
 */
export type RpcMethodName<Services extends Given> = RpcMethodsOf<Known<Services>> | Unknown<Services>;

type ClientMethodAt<Services extends Given, Path> = Path extends RpcMethodsOf<Known<Services>>
  ? Path extends `${infer Name}.${infer Method}`
    ? Client<Named<Services, Name>> extends infer Methods
      ? Method extends keyof Methods ? Methods[Method] : never
    : never
  : never
  : ClientMethod<readonly unknown[], unknown>;

/**
 * The arguments of a method, as its caller gives them.
 *
 * @internal
 */
export type CallArgs<Services extends Given, Path> = ClientMethodAt<Services, Path> extends
  ClientMethod<infer Args, infer _Result> ? Args : readonly unknown[];

/**
 * The result of a method, as its caller gets it.
 *
 * @internal
 */
export type CallResultOf<Services extends Given, Path> = ClientMethodAt<Services, Path> extends
  ClientMethod<infer _Args, infer Result> ? Result : unknown;

type HandlerArgs<Each, Method> = Each extends
  { readonly handlers: infer Handlers; readonly entrypoints: infer Entrypoints }
  ? Method extends keyof Handlers & keyof Entrypoints
    ? Handlers[Method] extends (context: never, ...args: infer Args) => unknown ? Args
    : HandlerOf<DependencyTable, Entrypoints[Method]> extends (context: never, ...args: infer Args) => unknown
      ? Args
    : readonly unknown[]
  : readonly unknown[]
  : readonly unknown[];

/**
 * An ended call of a method, with the types of its handler.
 *
 * @internal
 */
export type TestCallOf<Services extends Given, Path> = Path extends MethodsOf<Known<Services>>
  ? Path extends `${infer Name}.${infer Method}`
    ? TestCall<HandlerArgs<Named<Services, Name>, Method>, CallResultOf<Services, Path>>
  : TestCall
  : TestCall;

/**
 * The events that a test may dispatch in the name of a service: all names and payloads if it has no dispatcher.
 *
 * @internal
 */
export type DispatchedBy<Source> = [keyof EventsOf<Source>] extends [never] ? Record<string, unknown>
  : EventsOf<Source>;

/** @internal */
type SourceOf<Services extends Given, Source> = Source extends string
  ? [Named<Services, Source>] extends [never] ? unknown : Named<Services, Source>
  : Source;

/** What may stand for a value: the value, or some of its members, where a method of a client may be a plain function. */
export type FakeOf<Value> = Value extends ((...args: never[]) => unknown) | Primitive ? Value : {
  readonly [Key in keyof Value]?: Value[Key] extends ClientMethod<infer Args, infer Result>
    ? (...args: Args) => Result | Promise<Result>
    : Value[Key];
};

/** @internal */
type Primitive = string | number | bigint | boolean | symbol | null | undefined;

type FakesOf<Each> = Each extends { readonly dependencies: infer Dependencies }
  ? { readonly [Key in keyof Dependencies]?: FakeOf<Injected<Dependencies[Key]>> }
  : Readonly<Record<string, unknown>>;

/**
 * Fakes by the names of services and dependencies.
 *
 * @internal
 */
export type Replacements<Services extends Given> =
  & { readonly [Name in Known<Services>["name"]]?: FakesOf<Named<Services, Name>> }
  & { readonly [Name in Unknown<Services>]?: Readonly<Record<string, unknown>> };

/** Options of {@linkcode TestApp.idle}. */
export interface IdleOptions {
  /** Milliseconds to wait at most. @default {the option `timeout` of `testServices()`, 5 seconds} */
  readonly timeout?: Duration;
  /** Aborting ends the wait. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode TestApp.waitFor}. */
export interface WaitForOptions<Call> extends IdleOptions {
  /** Says which call of the method is meant. @default {the first one} */
  readonly where?: (call: Call) => boolean;
}

/** Services that a test has started. Disposing it stops them, and closes everything that the test has opened by it. */
export interface TestApp<Services extends Given = Given> extends AsyncDisposable {
  /**
   * Calls a method by RPC.
   *
   * @throws What the method answers, as `client()` throws it to a handler: mostly a {@linkcode RemoteError}.
   *
   * @example
   * ```ts ignore
   * import { strictEqual } from "node:assert/strict";
   *
   * strictEqual(await app.call("orders.place", { id: 7, total: 30 }), 30);
   * ```
   */
  call<Path extends RpcMethodName<Services>>(
    method: Path,
    ...args: CallArgs<Services, Path>
  ): Promise<CallResultOf<Services, Path>>;
  /** Makes a typed client of a service. */
  client<Target extends Contract>(service: Target, options?: CallOptions): Client<Target>;
  /** Makes a client of a service by its name, which is typed if the test has given the service itself. */
  client<Name extends Known<Services>["name"]>(
    service: Name,
    options?: CallOptions,
  ): Client<Named<Services, Name>>;
  /** Makes a client of any service that the broker knows: `app.client<typeof payments>("payments")`. */
  client<Target = unknown>(service: string, options?: CallOptions): Client<Target>;
  /**
   * Dispatches an event in the name of a service, which need not run. Resolves when the broker has it; wait for its
   * handler with `waitFor()`.
   *
   * @throws {BrokerError} If no service here handles or dispatches events of that service.
   */
  dispatch<
    const Source extends string | Contract,
    Events extends DispatchedBy<SourceOf<Services, Source>>,
    Type extends keyof Events & string,
  >(source: Source, type: Type, payload: Events[Type], options?: DispatchOptions): Promise<void>;
  /** Publishes a message, such as one for an entrypoint of `consume()`. Without an exchange, `routingKey` is a queue. */
  publish(payload: unknown, options: PublishOptions): Promise<void>;
  /**
   * Sends a request to the HTTP server of the services, which listens on a free port.
   *
   * The body of an answer that the test does not read is thrown away at the end.
   *
   * @param path Such as `/orders/7?details=1`.
   * @throws {TypeError} If no service here has HTTP entrypoints.
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Opens a WebSocket to the services, and resolves when it is connected. It is closed at the end.
   *
   * @typeParam Target The service, for the types of its methods and events: `app.socket<typeof chat>("/ws")`.
   * @param path Path of the entrypoints. @default {"/ws"}
   * @throws {TypeError} If no service here has WebSocket entrypoints at that path.
   */
  socket<Target = unknown>(path?: string, options?: ConnectSocketOptions): Promise<SocketClient<Target>>;
  /**
   * Fires a timer or a cron once, and resolves with how the call has ended.
   *
   * @throws {TypeError} If the method has neither, or it is not started.
   */
  fire<Path extends MethodName<Services>>(method: Path): Promise<TestCallOutcome<undefined>>;
  /**
   * Waits until a call of a method has ended: until its handler has returned or failed and, if it came by a message,
   * the broker has been told so.
   *
   * It takes the oldest of the calls that have ended since the start, or else the next one to end. Each call is taken
   * once, so a second `waitFor()` waits for another call. A call that fails and is to be retried has ended, too: ask for
   * `where: ({ outcome }) => outcome.ok` to get the attempt that succeeds.
   *
   * @throws {DOMException} A `TimeoutError` that says which calls have ended.
   * @throws {TypeError} If no service here has the method, or it is not started.
   *
   * @example
   * ```ts ignore
   * await app.call("orders.place", order);
   * const { args, outcome } = await app.waitFor("mail.confirm", { where: ({ args: [{ id }] }) => id === 7 });
   * ```
   */
  waitFor<Path extends MethodName<Services>>(
    method: Path,
    options?: WaitForOptions<TestCallOf<Services, Path>>,
  ): Promise<TestCallOf<Services, Path>>;
  /**
   * Resolves when no call runs, and nothing is under way that will run one: no request of this test, no message, and no
   * retry that waits for its time. With a `clock`, retries do not count: they wait for the test to move it.
   *
   * With the broker in memory this is exact, but for what a handler sends without waiting until it is sent. Any other
   * broker is asked, twice, whether messages wait in the queues that these services consume; it does not tell what
   * other programs hold or will send.
   *
   * @throws {DOMException} A `TimeoutError` that says what is under way.
   */
  idle(options?: IdleOptions): Promise<void>;
  /** The calls that have ended and that no `waitFor()` has taken, in the order of their ends. */
  readonly calls: readonly TestCall[];
  /** URL of the HTTP server; undefined if no service has HTTP entrypoints. */
  readonly http: string | undefined;
  /** The services by name, to stop and start one of them. */
  readonly containers: ReadonlyMap<string, ServiceContainer>;
}
