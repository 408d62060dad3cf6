import { BRAND } from "./brand.ts";
import type { Call } from "./call.ts";
import type { Log } from "../log/log.ts";
import type { Messenger } from "../message/messenger.ts";
import type { PlainRecord } from "../message/plain.ts";

/** What a provider may use of the thread it lives in. */
export interface DependencyHost {
  /** Name of the service. */
  readonly service: string;
  /** Key under which the value is injected. */
  readonly key: string;
  /** The whole configuration. */
  readonly config: PlainRecord;
  /** Milliseconds that a call of another service waits for its answer where it says nothing else. */
  readonly callTimeout: number;
  readonly messenger: Messenger;
  readonly log: Log;
  /** Aborted when the thread is about to end. */
  readonly signal: AbortSignal;
}

/** How a call ended, as `release` sees it: with the handler's own result or error. */
export type CallResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/**
 * Supplies one injected value; lives in a worker thread beside the handlers that use it.
 *
 * An object literal is enough. `[Symbol.asyncDispose]` runs once, when the thread ends politely.
 */
export interface Provider<T> extends Partial<AsyncDisposable> {
  /** Once per thread, before its first call. A failure keeps the thread from starting. */
  setup?(host: DependencyHost): Promise<void> | void;
  /** Once per call, before the handler. A failure fails that call; the handler does not run. */
  get(call: Call): Promise<T> | T;
  /** Once per call for which `get` succeeded, after the handler, in reverse order of `get`. */
  release?(call: Call, result: CallResult): Promise<void> | void;
}

/** What an author writes in `dependencies`. */
export interface DependencySpec<T> {
  readonly [BRAND]: "dependency";
  /** What the main thread must set up for it: a kind that an extension provides. @default {nothing} */
  readonly kind?: string;
  /** Plain data for that kind: the main thread reads it in the manifest. */
  readonly options?: PlainRecord;
  /** Makes the provider of one thread. */
  readonly bind: (host: DependencyHost) => Provider<T>;
}

/** The dependencies of a service by name. */
// deno-lint-ignore no-explicit-any -- any injected type; Injected<> recovers each one
export type DependencyTable = Readonly<Record<string, DependencySpec<any>>>;

/**
 * Makes a dependency of the author's own.
 *
 * @param definition The provider, or a function that makes one for each worker thread. Give a function where
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

/** Makes the dependency of an extension: like {@linkcode provider}, with what the main thread has to know of it. */
export function dependency<T>(spec: Omit<DependencySpec<T>, typeof BRAND>): DependencySpec<T> {
  return { [BRAND]: "dependency", ...spec };
}
