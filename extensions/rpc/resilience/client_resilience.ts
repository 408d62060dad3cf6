/**
 * The policies of one client dependency in one thread: retries and fallbacks. Circuit, bulkhead and rate are in the
 * main thread, which all threads share; each attempt passes them there.
 */
import type { Log } from "../../../runtime/log/log.ts";
import type { RequestGuard } from "../../../runtime/message/messenger.ts";
import { requireKnown } from "../../../runtime/service/options/known_options.ts";
import { pause } from "../../../runtime/waiting/abort.ts";
import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import type { AnyClientPolicies, Fallback, MethodPolicies, SingleCallPolicies } from "./policies.ts";
import { GUARDS, type PlainPolicies, type PolicyTable } from "./policy_table.ts";
import { isRefused, isUnavailable } from "./unavailable.ts";

type AnyFallback = Fallback<readonly unknown[], unknown>;

/** One attempt of a call. */
export interface Attempt {
  /** Epoch milliseconds at which its time is over. */
  readonly deadline: number;
  readonly guard: RequestGuard | undefined;
}

/** What a call tells of itself. */
export interface AttemptsOptions {
  /** Epoch milliseconds at which the call's time is over, all attempts together. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  /** Gives the log of the call that makes this one. */
  readonly log: () => Log | undefined;
}

/** The numbers of a retry, as the manifest has them. */
interface RetryNumbers {
  readonly max: number;
  readonly delay: number;
  readonly factor: number;
  readonly jitter: number;
  readonly attemptTimeout?: number;
  readonly on: readonly string[];
}

/** What a call needs of the client's policies. */
export interface ClientResilience {
  readonly key: string;
  readonly table: PolicyTable;
  readonly options: AnyClientPolicies;
  /** Milliseconds of the time limits that methods have of their own. */
  readonly timeouts: ReadonlyMap<string, number>;
  /** Tells the main thread that a fallback has given a result. */
  readonly fellBack: () => void;
}

/** The policies of one method, or of one call of it. */
export class CallResilience {
  readonly #name: string;
  readonly #method: string;
  readonly #retry: RetryNumbers | undefined;
  readonly #covered: readonly string[];
  readonly #guard: Omit<RequestGuard, "attempt"> | undefined;
  readonly #fallback: AnyFallback | undefined;
  readonly #fellBack: () => void;
  readonly #clock: Clock;

  /**
   * @param client The policies of the client, if it has any.
   * @param own What differs for this call.
   */
  constructor(
    client: ClientResilience | undefined,
    service: string,
    method: string,
    own: SingleCallPolicies<readonly unknown[], unknown>,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#clock = clock;
    this.#name = `${service}.${method}`;
    this.#method = method;
    const table = client?.table;
    const policies: PlainPolicies = { ...table?.all, ...ownOf(table?.methods, method) };
    const { idempotent = policies.idempotent, retry = policies.retry } = own;
    const isRetried = idempotent === true && retry !== undefined && retry !== false;
    this.#retry = isRetried ? policies.retry as unknown as RetryNumbers : undefined;
    this.#covered = [policies.retry, policies.circuit].flatMap((policy) =>
      policy ? policy["on"] as readonly string[] : []
    );
    this.#guard = client && { key: client.key, off: GUARDS.filter((policy) => own[policy] === false) };
    this.#fallback = "fallback" in own ? own.fallback : fallbackOf(client, method);
    this.#fellBack = client?.fellBack ?? (() => {});
  }

  /** Makes attempts until one succeeds, or no further one is allowed. */
  async attempts<Result>(
    send: (attempt: Attempt) => Promise<Result>,
    { deadline, signal, log }: AttemptsOptions,
  ): Promise<Result> {
    const retry = this.#retry;
    let former: unknown;
    for (let attempt = 1;; attempt++) {
      const { attemptTimeout = Infinity } = retry ?? {};
      try {
        return await send({
          deadline: Math.min(deadline, this.#clock.now() + attemptTimeout),
          guard: this.#guard && { ...this.#guard, attempt },
        });
      } catch (error) {
        // A refusal of ours tells less than the failure that led to it.
        const failure = former !== undefined && isRefused(error) ? former : error;
        const made = failure === error ? attempt : attempt - 1;
        if (retry === undefined || failure !== error || attempt > retry.max || signal?.aborted) {
          throw withAttempts(failure, made);
        }
        const wait = isUnavailable(error, retry.on) ? delayOf(retry, attempt) : Infinity;
        if (this.#clock.now() + wait >= deadline) throw withAttempts(error, attempt);
        log()?.debug(
          `Attempt ${attempt} of ${retry.max + 1} to call "${this.#name}" failed: ${
            (error as Error).message
          }. ` +
            `The next one begins in ${Math.round(wait)} ms`,
        );
        former = error;
        await pause(wait, signal, this.#clock);
      }
    }
  }

  /** Gives the result of a call, or that of its fallback if the service is unavailable. */
  async orFallback<Result>(args: readonly unknown[], result: Promise<Result>): Promise<unknown> {
    const fallback = this.#fallback;
    if (fallback === undefined) return await result;
    try {
      return await result;
    } catch (error) {
      if (!isRefused(error) && !isUnavailable(error, this.#covered)) throw error;
      this.#fellBack();
      return typeof fallback === "function"
        ? await fallback(error as Error, { method: this.#method, args })
        : fallback;
    }
  }
}

/**
 * Checks the options of one call.
 *
 * @param known Names of options that are no policies.
 * @throws {TypeError} If an option is not known or has a wrong type.
 */
export function requireCallPolicies(name: string, own: object, known: readonly string[]): void {
  const action = `Cannot call "${name}"`;
  const switches = ["retry", ...GUARDS];
  requireKnown(action, "with()", own, [...known, "idempotent", ...switches, "fallback"]);
  const given = own as Readonly<Record<string, unknown>>;
  if (given["idempotent"] !== undefined && typeof given["idempotent"] !== "boolean") {
    throw new TypeError(`${action}: idempotent must be true or false`);
  }
  const wrong = switches.find((policy) => given[policy] !== undefined && given[policy] !== false);
  if (wrong !== undefined) {
    throw new TypeError(`${action}: with() can only switch ${wrong} off (false). Set it at the client`);
  }
}

function fallbackOf(client: ClientResilience | undefined, method: string): AnyFallback | undefined {
  if (client === undefined) return undefined;
  const own = ownOf(client.options.methods as Readonly<Record<string, MethodPolicies>> | undefined, method);
  return own !== undefined && "fallback" in own ? own.fallback : client.options.fallback as AnyFallback;
}

function ownOf<Value>(table: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Milliseconds before the attempt that follows another one. */
function delayOf({ delay, factor, jitter }: RetryNumbers, attempt: number): number {
  return delay * factor ** (attempt - 1) * (1 - jitter * Math.random());
}

/** Lets the stack of an error tell how many attempts were made, if there were several. */
function withAttempts(error: unknown, attempts: number): unknown {
  if (attempts === 1 || !(error instanceof Error)) return error;
  const { stack = String(error) } = error;
  const frames = stack.search(/\n {4}at /);
  const head = frames === -1 ? stack : stack.slice(0, frames);
  error.stack = `${head}\n    after ${attempts} attempts${frames === -1 ? "" : stack.slice(frames)}`;
  return error;
}
