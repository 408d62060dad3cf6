import { millisecondsOf } from "../../runtime/waiting/duration.ts";
import type { Call } from "../../runtime/service/call.ts";
import {
  dependency,
  type DependencyHost,
  type DependencySpec,
  type Provider,
} from "../../runtime/service/dependency.ts";
import type { Contract } from "../../runtime/service/service.ts";
import { type CallOptions, type Client, client, type ClientPolicies } from "../rpc/mod.ts";
import { shown, type StoreOptions, storeOptions } from "./cache_options.ts";
import { cachedCalls, type CachedClient } from "./cached_calls.ts";
import { type CallPolicy, callPolicy, type CallPolicyOptions, POLICY_OPTIONS } from "./call_policy.ts";
import { ThreadCache } from "./near/thread_cache.ts";

/** Options of {@linkcode cachedClient}. */
export interface CachedClientOptions<Target> extends StoreOptions, CallPolicyOptions {
  /**
   * The methods whose results are cached: a list of names, or for each name how, in place of what stands beside
   * `methods`; `true` is that. Calls of all others go to the service. Never name a method that changes something.
   */
  readonly methods:
    | readonly (keyof Client<Target> & string)[]
    | { readonly [Method in keyof Client<Target>]?: CallPolicyOptions | true };
  /** The options of `client()`, such as `timeout` and `retry`, for the calls that are made. @default {{}} */
  readonly client?: CallOptions & ClientPolicies<Client<Target>>;
}

/** @internal */
type NameOf<Target> = Target extends { readonly name: infer Name extends string } ? Name : string;

const OWN_OPTIONS = [...POLICY_OPTIONS, "methods", "client"];

/**
 * Makes a dependency on another service, which injects a typed client as `client()` does, whose calls go through a
 * cache.
 *
 * Arguments and keyword arguments tell results apart, and the context data that `varyBy` names. What the service
 * returned is cached as it came over the wire, and each caller gets a copy of its own.
 *
 * @throws {TypeError} If an option is not known, or a method is cached in no way or in two ways.
 * @throws {RangeError} If a number makes no sense.
 *
 * @example
 * ```ts ignore
 * import { cachedClient } from "@enoki/enoki/cache";
 *
 * const dependencies = {
 *   prices: cachedClient<typeof prices>("prices", { first: { ttl: 60_000 }, methods: ["of"] }),
 *   rates: cachedClient<typeof rates>("rates", { fallback: { for: 3_600_000 }, methods: ["latest"] }),
 * };
 * ```
 */
export function cachedClient<Target extends Contract>(
  contract: Target,
  options: CachedClientOptions<Target>,
): DependencySpec<CachedClient<Target>>;
/** Makes a dependency on a service by its name. */
export function cachedClient<Target = unknown>(
  service: NameOf<Target>,
  options: CachedClientOptions<Target>,
): DependencySpec<CachedClient<Target>>;
export function cachedClient(
  target: string | Contract,
  options: CachedClientOptions<unknown>,
): DependencySpec<CachedClient<unknown>> {
  const service = typeof target === "string" ? target : target.name;
  const what = `the cached client of "${service}"`;
  const { first: _1, fallback: _2, varyBy: _3, tags: _4, methods, client: sent = {}, ...stored } = options;
  const { manifest, thread } = storeOptions(what, stored, OWN_OPTIONS);
  const policies = policiesOf(what, service, methods, options);
  const bind = (host: DependencyHost) => {
    const values = new ThreadCache(host, thread);
    const timeout = sent.timeout === undefined ? host.callTimeout : millisecondsOf(sent.timeout);
    return {
      get: (call: Call, used: { readonly client: Client<unknown> }) =>
        cachedCalls({
          service,
          values,
          policies,
          call,
          client: used.client,
          headers: sent.headers ?? {},
          timeout,
        }),
      [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
    };
  };
  return dependency({
    kind: "cache",
    options: manifest,
    uses: { client: client(service, sent) },
    bind: bind as unknown as (host: DependencyHost) => Provider<CachedClient<unknown>>,
  });
}

function policiesOf(
  what: string,
  service: string,
  methods: CachedClientOptions<unknown>["methods"],
  { first, fallback, varyBy, tags }: CallPolicyOptions,
): ReadonlyMap<string, CallPolicy> {
  if (typeof methods !== "object" || methods === null || Object.keys(methods).length === 0) {
    throw new TypeError(
      `Cannot use ${what}: its methods are ${
        shown(methods)
      }. Name the methods whose results are to be cached`,
    );
  }
  const common = {
    ...(first && { first }),
    ...(fallback && { fallback }),
    ...(varyBy && { varyBy }),
    ...(tags && { tags }),
  };
  const named = Array.isArray(methods)
    ? methods.map((method: string) => [method, true] as const)
    : Object.entries(methods);
  return new Map(named.map(([method, own]) => {
    const name = `"${service}.${method}" in a cached client`;
    if (own === true) return [method, callPolicy(name, common)];
    if (typeof own !== "object" || own === null) {
      throw new TypeError(`Cannot use ${name}: it is ${shown(own)}. Use an object, or true`);
    }
    const { first: _1, fallback: _2, ...rest } = common;
    const isOwnWay = own.first !== undefined || own.fallback !== undefined;
    return [method, callPolicy(name, { ...(isOwnWay ? rest : common), ...own })];
  }));
}
