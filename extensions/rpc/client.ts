import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import { encodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { requireFields } from "../../runtime/message/field_table.ts";
import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import { CallTimeoutError } from "../../runtime/message/errors.ts";
import type { JsonResult } from "../../runtime/service/json.ts";
import { type OutgoingHook, sendThrough } from "../../runtime/service/hook.ts";
import type { Messenger } from "../../runtime/message/messenger.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import type { Payloads } from "../../runtime/message/payload/payloads.ts";
import type { Contract, Service } from "../../runtime/service/service.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { asRegistered, type ErrorClass, registeredErrors } from "./registered_errors.ts";
import type { Log } from "../../runtime/log/log.ts";
import {
  type Attempt,
  CallResilience,
  type ClientResilience,
  requireCallPolicies,
} from "./resilience/client_resilience.ts";
import type { AnyClientPolicies, ClientPolicies, SingleCallPolicies } from "./resilience/policies.ts";
import { CALL_OPTIONS, policyTable, withoutPolicies } from "./resilience/policy_table.ts";
import type { ClientCallOf } from "./rpc.ts";
import { requireSending, sendingOf, type SendingOptions } from "./sending.ts";

/** Options of a client, and of a single call through `with`. */
export interface CallOptions extends SendingOptions {
  /**
   * Milliseconds to wait for the answer. The wait never passes the deadline of the call in progress.
   *
   * @default {the configured `call_timeout`, 30 seconds}
   */
  readonly timeout?: Duration;
  /** Context data to send, in addition to the context data of the call in progress. @default {{}} */
  readonly headers?: FieldTable;
  /** Aborting ends the wait. */
  readonly signal?: AbortSignal;
  /**
   * Classes of errors that come back as such, so that `error instanceof NotFound` works across services. They are found
   * by their names, and their constructors do not run: an error has its message, its stack here, the
   * {@linkcode RemoteError} as its `cause`, and what the service has sent of `code`, `data`, `status` and `retryable`.
   * Other errors are `RemoteError`s.
   *
   * @default {[]}
   */
  readonly errors?: readonly ErrorClass[];
}

/** Options of a single call, through `with`. */
export interface SingleCallOptions<Args extends readonly unknown[] = readonly unknown[], Result = unknown>
  extends CallOptions, SingleCallPolicies<Args, Result> {}

/** A call whose answer may still be on its way. */
export interface PendingCall<Result> {
  /** Waits for the answer. Each further call of this method gives the same answer. */
  result(): Promise<Result>;
}

/** A method of another service. */
export interface ClientMethod<Args extends readonly unknown[], Result> {
  /** Calls the method and waits for the result. */
  (...args: Args): Promise<Result>;
  /** Gives the same method with other options. */
  with(options: SingleCallOptions<Args, Result>): ClientMethod<Args, Result>;
  /** Calls the method without waiting, as Nameko's `call_async` does. */
  start(...args: Args): PendingCall<Result>;
  /** Calls the method with Python keyword arguments, and with positional arguments before them. */
  kwargs(named: Readonly<Record<string, unknown>>, ...positional: readonly unknown[]): Promise<Result>;
}

/** @internal */
type RpcOf<Entry> = Extract<Entry extends readonly (infer Each)[] ? Each : Entry, { readonly kind: "rpc" }>;

/** @internal */
type RpcMethods<Entrypoints> = {
  [Method in keyof Entrypoints]: [RpcOf<Entrypoints[Method]>] extends [never] ? never : Method;
}[keyof Entrypoints];

/**
 * The client's side of a method. The handler provides the types that the entrypoint leaves unstated.
 *
 * @internal
 */
type ClientMethodOf<Call, Handler> = Call extends (...args: infer Args) => infer Result
  ? Handler extends (context: never, ...args: infer HandlerArgs) => infer HandlerResult ? ClientMethod<
      Args extends readonly never[] ? number extends Args["length"] ? HandlerArgs : Args : Args,
      JsonResult<Awaited<unknown extends Result ? HandlerResult : Result>>
    >
  : ClientMethod<Args, JsonResult<Awaited<Result>>>
  : never;

/** @internal */
type HandlersIn<Target> = Target extends { readonly handlers: infer Handlers } ? Handlers : unknown;

/** The typed client of a service or contract: its RPC methods, with the types that results have as JSON. */
export type Client<Target> = Target extends { readonly entrypoints: infer Entrypoints } ? {
    readonly [Method in RpcMethods<Entrypoints>]: ClientMethodOf<
      ClientCallOf<RpcOf<Entrypoints[Method]>>,
      Method extends keyof HandlersIn<Target> ? HandlersIn<Target>[Method] : undefined
    >;
  }
  : { readonly [method: string]: ClientMethod<readonly unknown[], unknown> };

/** @internal */
type NameOf<Target> = Target extends { readonly name: infer Name extends string } ? Name : string;

/** The origin of a call, with the data that the call passes on. */
export interface CallOrigin {
  /** Ids of the calls that led here; the caller's own id is the last one. */
  readonly stack: readonly string[];
  readonly headers: FieldTable;
  readonly deadline: number | undefined;
  /** Takes what the policies do. @default {nobody is told} */
  readonly log?: Log;
}

/**
 * Makes a dependency on another service, which injects a typed client of that service.
 *
 * `client<typeof payments>("payments")` takes the type of a service that this module need not load.
 * `client(contract)` takes a contract. Calls pass on the call id stack, the context data and the rest of the
 * deadline.
 *
 * With {@linkcode ClientPolicies}, calls are tried again, fail at once, wait or get another result while the service
 * is unavailable or busy. All threads of the service share the circuit, the bulkhead and the rate of a client.
 *
 * @throws {TypeError} If an option is not known, has a wrong type, or contradicts another.
 * @throws {RangeError} If a number among the policies is out of its range.
 *
 * @example
 * ```ts ignore
 * import { client, rpc, service } from "@enoki/enoki";
 *
 * export default service("orders", {
 *   dependencies: { payments: client<typeof paymentService>("payments", { timeout: "2s" }) },
 *   entrypoints: { place: rpc() },
 *   handlers: { place: async ({ payments }, order: Order) => (await payments.charge(order.total)).paid },
 * });
 * ```
 */
export function client<Name extends string, Target extends Contract<Name>>(
  contract: Target,
  options?: CallOptions & ClientPolicies<Client<NoInfer<Target>>>,
): DependencySpec<Client<Target>>;
/** Makes a dependency on a service by its name. */
export function client<Target = unknown>(
  service: NameOf<Target>,
  options?: CallOptions & ClientPolicies<Client<Target>>,
): DependencySpec<Client<Target>>;
export function client(
  target: string | Contract,
  options: CallOptions & AnyClientPolicies = {},
): DependencySpec<Client<Service>> {
  const service = typeof target === "string" ? target : target.name;
  if (options.errors !== undefined) registeredErrors(options.errors);
  requireSending(options);
  const timeout = options.timeout === undefined ? undefined : requireTimeout(options.timeout);
  const table = policyTable(service, options);
  const timeouts = timeoutsOf(options);
  return dependency({
    client: service,
    ...(table && { kind: "client", options: table as unknown as PlainRecord }),
    bind: ({ key, messenger, outgoing, callTimeout, payloads, ask, clock }) => {
      const fellBack = () => void ask("").catch(() => {});
      const resilience = table && { key, table, options, timeouts, fellBack };
      const own = {
        ...withoutPolicies(options),
        timeout: timeout ?? callTimeout,
        outgoing,
        payloads,
        resilience,
        clock,
      };
      return { get: (call: Call) => createClient(messenger, service, call, own) as Client<Service> };
    },
  });
}

/** Options of a client, as its makers take them. */
export interface ClientOptions extends SingleCallOptions {
  readonly timeout: Duration;
  /** The policies of the client. @default {all are off} */
  readonly resilience?: ClientResilience | undefined;
  /** How the caller writes and reads what has no serializer of its own. @default {JSON} */
  readonly payloads?: Payloads | undefined;
  /** Hooks through which each call goes. @default {[]} */
  readonly outgoing?: readonly OutgoingHook[] | undefined;
  /** Tells when the time of a call is up. @default {the clock of the machine} */
  readonly clock?: Clock | undefined;
}

/** Makes a client that sends through `messenger`, in the name of `origin`. */
export function createClient(
  messenger: Messenger,
  service: string,
  origin: CallOrigin,
  options: ClientOptions,
): unknown {
  const methods = new Map<string, unknown>();
  return new Proxy(NO_METHODS, {
    get(_target, method) {
      if (typeof method !== "string" || method === "then") return undefined;
      let made = methods.get(method);
      if (made === undefined) {
        made = createMethod(messenger, service, method, origin, optionsOf(method, options));
        methods.set(method, made);
      }
      return made;
    },
  });
}

const NO_METHODS = Object.freeze({});

/** Gives the options of a method, which may have a time limit of its own. */
function optionsOf(method: string, options: ClientOptions): ClientOptions {
  const timeout = options.resilience?.timeouts.get(method);
  return timeout === undefined ? options : { ...options, timeout };
}

/** Makes one method of a client. */
export function createMethod(
  messenger: Messenger,
  service: string,
  method: string,
  origin: CallOrigin,
  options: ClientOptions,
): ClientMethod<readonly unknown[], unknown> {
  const timeout = requireTimeout(options.timeout);
  const { outgoing = [], payloads, resilience, clock = SYSTEM_CLOCK } = options;
  const sending = sendingOf(options, payloads);
  const policies = resilience === undefined && !("fallback" in options)
    ? undefined
    : new CallResilience(resilience, service, method, options, clock);
  const deadlineFrom = (now: number) => Math.min(now + timeout, origin.deadline ?? Infinity);
  const errors = options.errors && registeredErrors(options.errors);
  const sendOnce = async (
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>> | undefined,
    headers: FieldTable,
    attempt?: Attempt,
  ) => {
    const now = clock.now();
    const deadline = attempt === undefined ? deadlineFrom(now) : attempt.deadline;
    if (deadline <= now) {
      throw new CallTimeoutError(`Cannot call "${service}.${method}": the deadline has passed`);
    }
    const target = {
      service,
      method,
      headers: encodeCallHeaders({ stack: origin.stack, data: headers, deadline }, now),
      ...(attempt?.guard && { guard: attempt.guard }),
    };
    const response = await messenger.request(sending.request(target, args, kwargs), {
      timeout: deadline - now,
      ...(options.signal && { signal: options.signal }),
    });
    if (errors === undefined) return sending.result(response, service);
    try {
      return await sending.result(response, service);
    } catch (error) {
      throw asRegistered(error, errors);
    }
  };
  const send: typeof sendOnce = policies === undefined
    ? sendOnce
    : (args, kwargs, headers) =>
      policies.attempts((attempt) => sendOnce(args, kwargs, headers, attempt), {
        deadline: deadlineFrom(clock.now()),
        signal: options.signal,
        // A log is made when it is asked for, and most calls have nothing to log.
        log: () => origin.log,
      });
  const { headers: own } = options;
  const sendWithMore = async (args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>) => {
    // The headers of the origin came from a message, or are checked like these where they are given.
    if (own !== undefined) requireFields(own);
    const headers = { ...origin.headers, ...own };
    const sent = { kind: "rpc", service, method, args, kwargs: kwargs ?? {}, headers } as const;
    return await sendThrough(outgoing, sent, (headers) => send(args, kwargs, headers));
  };
  const callThrough = (args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>) =>
    own === undefined && outgoing.length === 0
      ? send(args, kwargs, origin.headers)
      : sendWithMore(args, kwargs);
  const call = policies === undefined
    ? callThrough
    : (args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>) =>
      policies.orFallback(args, callThrough(args, kwargs));
  return Object.assign((...args: readonly unknown[]) => call(args), {
    with(more: SingleCallOptions) {
      requireCallPolicies(`${service}.${method}`, more, CALL_OPTIONS);
      return createMethod(messenger, service, method, origin, { ...options, ...more });
    },
    start: (...args: readonly unknown[]) => pending(call(args)),
    kwargs: (named: Readonly<Record<string, unknown>>, ...positional: readonly unknown[]) =>
      call(positional, named),
  });
}

/** Gives the milliseconds of the time limits that methods have of their own. */
function timeoutsOf({ methods = {} }: AnyClientPolicies): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(methods).flatMap(([method, own]) =>
      own?.timeout === undefined ? [] : [[method, requireTimeout(own.timeout)] as const]
    ),
  );
}

/** Gives the milliseconds of a time limit. */
function requireTimeout(timeout: unknown): number {
  const limit = millisecondsOf(timeout);
  if (limit > 0) return limit;
  throw new RangeError(
    `Cannot call with timeout ${
      shownDuration(timeout)
    }: it must be a positive number of milliseconds, ${OR_TEXT}`,
  );
}

function pending<Result>(result: Promise<Result>): PendingCall<Result> {
  // A failed call whose result nobody asks for must not end the program as an unhandled rejection.
  result.catch(() => {});
  return { result: () => result };
}
