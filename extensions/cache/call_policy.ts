/** How the calls of a method are cached, and the one check of that. */
import type { Duration } from "../../runtime/waiting/duration.ts";
import { isRecord, isTexts } from "../../runtime/message/plain.ts";
import { describeFailure } from "../../runtime/message/failure.ts";
import {
  type Lifetime,
  lifetime,
  type LifetimeOptions,
  requireDuration,
  requireKnown,
  requireTags,
  shown,
} from "./cache_options.ts";

/** Answers with the last good result when a call fails. */
export interface FallbackOptions {
  /** Milliseconds for which a good result may stand in for failed calls. */
  readonly for: Duration;
  /**
   * Milliseconds after which the last good result is given, if there is one, while the call goes on. Nameko's
   * `failover_timeout`.
   *
   * @default {the call's own timeout}
   */
  readonly after?: Duration;
  /** Names of error classes of the service that are answers, so that the caller gets them. @default {[]} */
  readonly expected?: readonly string[];
}

/** How the calls of a method are cached: exactly one of `first` and `fallback`. */
export interface CallPolicyOptions {
  /** Answers from the cache, and calls the service where it has no result. Nameko's `CacheFirstRpcProxy`. */
  readonly first?: LifetimeOptions;
  /** Calls the service, and answers from the cache when that fails. Nameko's `CachedRpcProxy`. */
  readonly fallback?: FallbackOptions;
  /** Names of context data that a result depends on, beside the arguments. @default {[]} */
  readonly varyBy?: readonly string[];
  /** Tags of the results, for `deleteTagged` of a `cache()` of the same name. @default {[]} */
  readonly tags?: readonly string[];
}

/** How the calls of a method are cached, checked. */
export interface CallPolicy {
  readonly first: Lifetime | undefined;
  readonly fallback:
    | { readonly for: number; readonly after: number | undefined; readonly expected: readonly string[] }
    | undefined;
  readonly varyBy: readonly string[];
  readonly tags: readonly string[];
}

/** Names of the options. */
export const POLICY_OPTIONS: readonly string[] = ["first", "fallback", "varyBy", "tags"];

/**
 * Checks how the calls of a method are cached.
 *
 * @throws {TypeError} If an option is not known or has another type, or if not exactly one way is given.
 * @throws {RangeError} If a number makes no sense.
 */
export function callPolicy(what: string, options: CallPolicyOptions): CallPolicy {
  requireKnown(what, options, POLICY_OPTIONS);
  const { first, fallback, varyBy = [], tags = [] } = options;
  if ((first === undefined) === (fallback === undefined)) {
    const state = first === undefined
      ? "it has neither first nor fallback"
      : "it has both first and fallback";
    throw new TypeError(
      `Cannot use ${what}: ${state}. Give first: { ttl } to answer from the cache, or fallback: { for } ` +
        "to answer from it when the service fails",
    );
  }
  for (const [name, value] of Object.entries({ first, fallback })) {
    if (value === undefined || isRecord(value)) continue;
    throw new TypeError(`Cannot use ${what}: its ${name} is ${shown(value)}. Use an object`);
  }
  if (!isTexts(varyBy)) {
    throw new TypeError(`Cannot use ${what}: its varyBy is ${shown(varyBy)}. Use names of context data`);
  }
  if (first !== undefined) requireKnown(`first of ${what}`, first, ["ttl", "staleFor"]);
  return {
    first: first && lifetime(what, first),
    fallback: fallback && checkedFallback(what, fallback),
    varyBy,
    tags: requireTags(what, tags),
  };
}

function checkedFallback(what: string, fallback: FallbackOptions): CallPolicy["fallback"] {
  requireKnown(`fallback of ${what}`, fallback, ["for", "after", "expected"]);
  const { after, expected = [] } = fallback;
  if (!isTexts(expected)) {
    throw new TypeError(
      `Cannot use ${what}: its fallback.expected is ${shown(expected)}. Use names of error classes`,
    );
  }
  return {
    for: requireDuration(what, "fallback.for", fallback.for),
    after: after === undefined ? undefined : requireDuration(what, "fallback.after", after),
    expected,
  };
}

/** Codes of failures in which the service had no say. */
const OUTAGES = [
  "TIMEOUT",
  "UNKNOWN_SERVICE",
  "WORKER_LOST",
  "CONTAINER_STOPPING",
  "BAD_RESULT",
  "CIRCUIT_OPEN",
  "BULKHEAD_FULL",
  "RATE_LIMITED",
];

/**
 * Says whether the last good result may stand in for a failed call: the service or the broker has failed, and neither
 * the caller nor a refusal that the caller has to know of.
 *
 * @param expected Names of the error classes that are answers. An error with an HTTP status below 500 is one, too.
 */
export function isOutage(error: unknown, expected: readonly string[]): boolean {
  const { name, code, status } = describeFailure(error);
  if (name === "BrokerError") return true;
  if (name !== "RemoteError") return OUTAGES.includes(code);
  const { remoteName } = error as { readonly remoteName?: unknown };
  return (status === undefined || status >= 500) && !expected.includes(String(remoteName));
}
