import { BRAND } from "./brand.ts";
import type { Call } from "./call.ts";
import type { Log } from "../log/log.ts";
import type { Messenger } from "../message/messenger.ts";
import type { PlainRecord } from "../message/plain.ts";

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
  readonly messenger: Messenger;
  readonly log: Log;
  /** Aborts when the thread is about to end. */
  readonly signal: AbortSignal;
}

/** The end of a call as `release` gets it: the handler's own result or error. */
export type CallResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

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
  /** Runs after the handler, once per call for which `get` succeeded, in the reverse order of `get`. */
  release?(call: Call, result: CallResult): Promise<void> | void;
}

/** A dependency as an author writes it in `dependencies`. */
export interface DependencySpec<T> {
  readonly [BRAND]: "dependency";
  /** Kind from an extension, for a dependency that needs a setup in the main thread. @default {nothing} */
  readonly kind?: string;
  /** Plain data for that kind. The main thread reads it in the manifest. */
  readonly options?: PlainRecord;
  /** Makes the provider of one thread. */
  readonly bind: (host: DependencyHost) => Provider<T>;
}

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
 * ```ts
 * const clock = provider({ get: () => new Date() });
 * const database = provider((host) => {
 *   let connection: Connection;
 *   return {
 *     async setup() { connection = await connect(String(host.config.DB_URI)); },
 *     get: () => connection,
 *     async [Symbol.asyncDispose]() { await connection.close(); },
 *   };
 * });
 * ```
 */
export function provider<T>(
  definition: Provider<T> | ((host: DependencyHost) => Provider<T>),
): DependencySpec<T> {
  return dependency({ bind: typeof definition === "function" ? definition : () => definition });
}

/**
 * Makes the dependency of an extension.
 *
 * It is like {@linkcode provider}, and also states what the main thread must know about the dependency.
 */
export function dependency<T>(spec: Omit<DependencySpec<T>, typeof BRAND>): DependencySpec<T> {
  return { [BRAND]: "dependency", ...spec };
}
