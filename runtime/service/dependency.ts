import type { Duration } from "../waiting/duration.ts";
import { BRAND } from "./brand.ts";
import type { Call } from "./call.ts";
import type { Diversion, OutgoingOptions } from "./effects/diversion.ts";
import type { OutgoingHook } from "./hook.ts";
import type { Clock } from "../waiting/clock.ts";
import type { Log } from "../log/log.ts";
import type { Messenger } from "../message/messenger.ts";
import type { Payloads } from "../message/payload/payloads.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { Message } from "../message/transport.ts";

/** The parts of its thread that a provider may use. */
export interface DependencyHost {
  /** Name of the service. */
  readonly service: string;
  /** Key under which the handlers find the value in their context. */
  readonly key: string;
  /** The whole configuration. */
  readonly config: PlainRecord;
  /** Milliseconds that a call to another service waits for its answer, unless that call states a timeout. */
  readonly callTimeout: number;
  /** How the service writes and reads what has no serializer of its own. */
  readonly payloads: Payloads;
  /** Sends requests and messages for the service. */
  readonly messenger: Messenger;
  /**
   * Publishes a message of a call: by the messenger, unless a dependency has diverted what the call publishes.
   *
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   */
  publish(call: Call, message: Message, options?: OutgoingOptions): Promise<void>;
  /**
   * Hands everything that a call publishes from now on to `publish`, which takes the place of the transport: a
   * dependency with an outbox writes it down. Call it in `get`.
   *
   * @throws {TypeError} If another dependency has diverted the call.
   */
  divert(call: Call, publish: Diversion): void;
  /** The hooks through which everything goes that a handler sends. Pass it to `sendThrough()`. */
  readonly outgoing: readonly OutgoingHook[];
  /**
   * Asks the half of this dependency in the main thread, which an extension provides for its kind.
   *
   * @param body Text or bytes; what they mean is between the two halves.
   * @throws What the other half throws, or {@linkcode CallTimeoutError}.
   */
  ask(body: string | Uint8Array<ArrayBuffer>, options?: AskOptions): Promise<string | Uint8Array>;
  /** Writes records in the name of the service. */
  readonly log: Log;
  /**
   * Tells the time that decides what the service does. In threads it is that of the machine; in a test of services it
   * may be one that the test moves.
   */
  readonly clock: Clock;
  /** Aborts when the thread is about to end. */
  readonly signal: AbortSignal;
}

/** Options of {@linkcode DependencyHost.ask}. */
export interface AskOptions {
  /** Milliseconds to wait for the answer. @default {the configured `call_timeout`, 30 seconds} */
  readonly timeout?: Duration;
  /** Aborting ends the wait. */
  readonly signal?: AbortSignal;
}

/** The end of a call as `release` gets it: the handler's own result or error. */
export type CallResult =
  | { readonly ok: true; readonly value: unknown }
  | {
    readonly ok: false;
    readonly error: unknown;
    /** Whether the entrypoint's `expected` names the error, so that it is the caller's fault. */
    readonly expected: boolean;
  };

/**
 * Supplies one injected value. A provider lives in a service's thread, beside the handlers that use it.
 *
 * An object literal is enough. `[Symbol.asyncDispose]` runs once, when the thread ends politely.
 */
export interface Provider<T> extends Partial<AsyncDisposable> {
  /** Runs once per thread, before its first call. If it fails, the thread does not start. */
  setup?(host: DependencyHost): Promise<void> | void;
  /** Gives the value before the handler, once per call. If it fails, the call fails without the handler. */
  get(call: Call): Promise<T> | T;
  /**
   * Keeps the inbox of entrypoints that handle each message once: notes the id of a message for the method of the
   * call, and resolves with false if it has been noted before. It runs after `get` of all dependencies and before the
   * handler. What it notes must become true together with the effects of the handler.
   *
   * @param keepFor Seconds that the id must be remembered.
   */
  once?(call: Call, id: string, keepFor: number): Promise<boolean>;
  /** Runs after the handler, once per call for which `get` succeeded, in the reverse order of `get`. */
  release?(call: Call, result: CallResult): Promise<void> | void;
}

/** A {@linkcode Provider} that uses other dependencies. */
export interface UsingProvider<T, Used> extends Omit<Provider<T>, "get"> {
  /** Gives the value as that of a provider does. `used` has the values of the used dependencies for this call. */
  get(call: Call, used: Used): Promise<T> | T;
}

/** A dependency as an author writes it in `dependencies`. */
export interface DependencySpec<T> {
  /**
   * Tells a dependency from other values.
   *
   * @internal
   */
  readonly [BRAND]: "dependency";
  /** Kind from an extension, for a dependency that needs a setup in the main thread. @default {nothing} */
  readonly kind?: string;
  /** Plain data for that kind. The main thread reads it in the manifest. */
  readonly options?: PlainRecord;
  /** Name of the service whose client it injects; undefined if it injects something else. */
  readonly client?: string;
  /** Other dependencies that this one uses. What they need in the main thread is set up, too. */
  readonly uses?: DependencyTable;
  /** Gives plain data for documents, beside the options. It runs only if somebody asks for the data. */
  readonly describe?: () => PlainRecord | Promise<PlainRecord>;
  /** Makes the provider of one thread. Its `get` has the values of the used dependencies as a second argument. */
  readonly bind: (host: DependencyHost) => Provider<T>;
}

/**
 * The values that some dependencies give.
 *
 * @internal
 */
export type UsedBy<Uses extends DependencyTable> = {
  readonly [Key in keyof Uses]: Uses[Key] extends DependencySpec<infer T> ? T : never;
};

/** The dependencies of a service by name. */
// deno-lint-ignore no-explicit-any -- any injected type; Injected<> recovers each one
export type DependencyTable = Readonly<Record<string, DependencySpec<any>>>;

/**
 * Makes a dependency from a provider that the author of a service writes.
 *
 * @param definition The provider, or a function that makes one provider for each thread. Give a function if
 * the provider keeps state outside its own fields.
 *
 * @example
 * ```ts ignore
 * import { provider } from "@enoki/enoki";
 *
 * const clock = provider({ get: () => new Date() });
 * const database = provider((host) => {
 *   let connection: Connection;
 *   return {
 *     async setup() { connection = await openDatabase(String(host.config.DB_URI)); },
 *     get: () => connection,
 *     async [Symbol.asyncDispose]() { await connection.close(); },
 *   };
 * });
 * ```
 */
export function provider<T>(
  definition: Provider<T> | ((host: DependencyHost) => Provider<T>),
): DependencySpec<T>;
/**
 * Makes a dependency that uses other dependencies. They are set up, acquired and released around it, and what they
 * need in the main thread is set up there.
 *
 * @example
 * ```ts ignore
 * import { client, provider } from "@enoki/enoki";
 *
 * const checkout = provider(
 *   { get: (_call, { payments }) => new Checkout(payments) },
 *   { uses: { payments: client<typeof paymentService>("payments") } },
 * );
 * ```
 */
export function provider<T, Uses extends DependencyTable>(
  definition: UsingProvider<T, UsedBy<Uses>> | ((host: DependencyHost) => UsingProvider<T, UsedBy<Uses>>),
  options: { readonly uses: Uses },
): DependencySpec<T>;
export function provider<T>(
  definition: AnyProvider<T> | ((host: DependencyHost) => AnyProvider<T>),
  { uses }: { readonly uses?: DependencyTable } = {},
): DependencySpec<T> {
  const bind = typeof definition === "function" ? definition : () => definition;
  return dependency({ ...(uses && { uses }), bind: bind as DependencySpec<T>["bind"] });
}

type AnyProvider<T> = Provider<T> | UsingProvider<T, never>;

/**
 * Makes the dependency of an extension.
 *
 * It is like {@linkcode provider}, and also states what the main thread must know about the dependency.
 */
export function dependency<T>(spec: Omit<DependencySpec<T>, typeof BRAND>): DependencySpec<T> {
  return { [BRAND]: "dependency", ...spec };
}

/** A dependency, with its key among all that a service uses. */
export interface UsedDependency {
  /** Key in the context, or `owner.name` of a dependency that another one uses. */
  readonly key: string;
  // deno-lint-ignore no-explicit-any -- a dependency with any value
  readonly spec: DependencySpec<any>;
  /** Whether only another dependency uses it. */
  readonly isInner: boolean;
}

/** Lists dependencies in the order in which they are set up: what one uses stands before it. */
export function usedDependencies(table: DependencyTable, owner?: string): readonly UsedDependency[] {
  return Object.entries(table).flatMap(([name, spec]) => {
    const key = owner === undefined ? name : `${owner}.${name}`;
    return [...usedDependencies(spec.uses ?? {}, key), { key, spec, isInner: owner !== undefined }];
  });
}

/** Address at which the main thread answers for its half of a dependency. No service can have this name. */
export function hostAddress(service: string, key: string): string {
  return `${ADDRESSES}${service}.${key}`;
}

const ADDRESSES = "dependency.";

/** Gives the dependency at an address that {@linkcode hostAddress} has made, as `service.key`; of others, undefined. */
export function dependencyAt(address: string): string | undefined {
  return address.startsWith(ADDRESSES) ? address.slice(ADDRESSES.length) : undefined;
}
