/**
 * The policies of a client, as an author writes them.
 *
 * An *unavailable* service is one of which the caller has only a failure that says nothing about the arguments:
 * a timeout, an unknown service, a lost broker, a stopping container, a lost thread. The policies are about these
 * failures. An error that a handler throws is none of them, unless the author names it in `on`.
 */
import type { Duration } from "../../../runtime/waiting/duration.ts";
import type { Rate } from "../../../runtime/service/limits/rate.ts";

/** When a call is tried again. Only calls that are declared `idempotent` are. */
export interface CallRetry {
  /** Largest number of retries after the first attempt. @default {2} */
  readonly max?: number;
  /** Milliseconds before the first retry. @default {100} */
  readonly delay?: Duration;
  /** Factor by which the delay grows with each retry. @default {2} */
  readonly factor?: number;
  /** Share of each delay that is random, from 0 to 1, so that callers do not come back together. @default {0.5} */
  readonly jitter?: number;
  /**
   * Milliseconds that one attempt waits for its answer. Without it, an attempt waits as long as its call does, so
   * that a timeout leaves no time for another attempt.
   *
   * @default {what is left of the call's time}
   */
  readonly attemptTimeout?: Duration;
  /** Class names of errors, as their handlers throw them, after which a call is tried again, too. @default {[]} */
  readonly on?: readonly string[];
}

/** When calls fail at once, because the service has failed before. */
export interface CircuitPolicy {
  /** The circuit opens after this many failures in a row. @default {5, unless `ratio` is given} */
  readonly failures?: number;
  /** The circuit opens when this share of the latest `minimum` calls has failed: above 0, at most 1. */
  readonly ratio?: number;
  /** Number of the latest calls that `ratio` is a share of. It does not open before there are so many. @default {20} */
  readonly minimum?: number;
  /** Milliseconds for which an open circuit lets nothing through. @default {30_000} */
  readonly open?: Duration;
  /**
   * Number of calls that it then lets through as probes. It closes when all of them have succeeded, and opens again
   * when one fails.
   *
   * @default {1}
   */
  readonly halfOpen?: number;
  /** Class names of errors, as their handlers throw them, that count as failures, too. @default {[]} */
  readonly on?: readonly string[];
}

/** How many calls may be under way. */
export interface BulkheadPolicy {
  /** Largest number of calls that wait for an answer at once. */
  readonly concurrent: number;
  /** Largest number of calls that wait for their turn, each until its own deadline. @default {0} */
  readonly waiting?: number;
}

/** The call whose failure a fallback covers. */
export interface FailedCall<Args extends readonly unknown[] = readonly unknown[]> {
  /** The method that was called. */
  readonly method: string;
  /** The arguments that it was called with. */
  readonly args: Args;
}

/**
 * The result of a call while its service is unavailable: a value, or a function that gives one.
 *
 * It covers the failures of an unavailable service, the refusals of the client's own policies, and the errors
 * that `on` of `retry` or `circuit` names. It does not cover other errors of handlers, wrong arguments, and calls
 * that their `signal` has ended.
 */
export type Fallback<Args extends readonly unknown[], Result> =
  | Result
  | ((error: Error, call: FailedCall<Args>) => Result | Promise<Result>);

/** The policies of one method or one call. `false` switches one off. */
export interface MethodPolicies<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** Whether the service may do the work of a call twice without harm. @default {false} */
  readonly idempotent?: boolean;
  /** How calls of this method are tried again; `false` for never. @default {that of the client} */
  readonly retry?: CallRetry | false;
  /** A circuit of the method's own. @default {that of the client} */
  readonly circuit?: CircuitPolicy | false;
  /** A bulkhead of the method's own. @default {that of the client} */
  readonly bulkhead?: BulkheadPolicy | false;
  /** A rate of the method's own. @default {that of the client} */
  readonly rateLimit?: Rate | false;
  /** `undefined` switches it off. @default {that of the client} */
  readonly fallback?: Fallback<Args, Result> | undefined;
  /** Milliseconds to wait for the answer, all attempts together. @default {that of the client} */
  readonly timeout?: Duration;
}

/** What one call may change of the policies of its client: it switches them off, and has no limits of its own. */
export interface SingleCallPolicies<Args extends readonly unknown[], Result>
  extends Pick<MethodPolicies<Args, Result>, "idempotent" | "fallback"> {
  /** Switches the retries off for this call. @default {that of the method} */
  readonly retry?: false;
  /** Sends this call although the circuit is open. @default {that of the method} */
  readonly circuit?: false;
  /** Sends this call although the bulkhead is full. @default {that of the method} */
  readonly bulkhead?: false;
  /** Sends this call although the rate is used up. @default {that of the method} */
  readonly rateLimit?: false;
}

/** @internal */
type ResultOf<Method> = Method extends (...args: infer _Args) => Promise<infer Result> ? Result : never;

/** @internal */
type ArgsOf<Method> = Method extends (...args: infer Args) => unknown ? Args : never;

/**
 * What every method of a client may result in: the intersection of their results.
 *
 * @internal
 */
type CommonResult<Client> = {
  [Method in keyof Client]: (result: ResultOf<Client[Method]>) => void;
}[keyof Client] extends (result: infer Result) => void ? Result : never;

/** The policies of a client. All are off unless they are given. */
export interface ClientPolicies<Client> {
  /** Whether the service may do the work of a call twice without harm: all methods, or those. @default {false} */
  readonly idempotent?: boolean | readonly (keyof Client & string)[];
  /** Tries calls again that are `idempotent`, and never past the deadline. @default {off} */
  readonly retry?: CallRetry;
  /** Lets calls fail at once while the service fails. @default {off} */
  readonly circuit?: CircuitPolicy;
  /** Limits how many calls are under way. @default {off} */
  readonly bulkhead?: BulkheadPolicy;
  /** Limits how often calls are sent. @default {off} */
  readonly rateLimit?: Rate;
  /** It has to fit all methods; {@linkcode ClientPolicies.methods} has those of single methods. @default {off} */
  readonly fallback?: Fallback<ArgsOf<Client[keyof Client]>, CommonResult<Client>> | undefined;
  /** What differs for single methods. @default {{}} */
  readonly methods?: {
    readonly [Method in keyof Client]?: MethodPolicies<ArgsOf<Client[Method]>, ResultOf<Client[Method]>>;
  };
}

/** The policies of a client whose methods are not known. */
// deno-lint-ignore no-explicit-any -- the policies of any methods, of which nothing is called here
export type AnyClientPolicies = ClientPolicies<any>;
