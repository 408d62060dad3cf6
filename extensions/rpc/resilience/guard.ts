/**
 * The circuit, the bulkhead and the rate of one client dependency. They are in the main thread, so all threads of the
 * service share them.
 *
 * A request passes them in this order: an open circuit fails it at once; it waits for its place in the bulkhead; then
 * it takes a token of the rate, and last its place in the circuit, which judges what becomes of the request from then
 * on. So no refusal of ours counts as a failure of the other service.
 */
import { withTimeLeft } from "../../../runtime/message/call_headers.ts";
import {
  BulkheadFullError,
  CallTimeoutError,
  CircuitOpenError,
  RateLimitedError,
} from "../../../runtime/message/errors.ts";
import type { Request, RequestAnswer, RequestOptions } from "../../../runtime/message/messenger.ts";
import type { DependencySetupHost } from "../../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../../runtime/service/manifest.ts";
import { timeLimit } from "../../../runtime/waiting/abort.ts";
import type { Clock } from "../../../runtime/waiting/clock.ts";
import { type RateNumbers, TokenBucket } from "../../../runtime/waiting/token_bucket.ts";
import { decodeResponse } from "../wire.ts";
import { Bulkhead, type BulkheadNumbers } from "./bulkhead.ts";
import { type CallVerdict, Circuit, type CircuitNumbers, type CircuitState } from "./circuit.ts";
import { GuardCounts } from "./guard_counts.ts";
import type { GUARDS, PlainPolicies, PolicyTable } from "./policy_table.ts";
import { isUnavailable } from "./unavailable.ts";

/** Sends a request past the guard. */
export type Send = (request: Request, options: RequestOptions) => Promise<RequestAnswer>;

/** What the requests of some methods pass. */
interface Lane {
  readonly circuit: { readonly circuit: Circuit; readonly on: readonly string[] } | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly rateLimit: { readonly bucket: TokenBucket; readonly perSecond: number } | undefined;
}

/** Lets the requests of one client dependency through, as its policies say. */
export class ClientGuard {
  readonly #key: string;
  readonly #service: string;
  readonly #log: DependencySetupHost["log"];
  readonly #clock: Clock;
  readonly #counts: GuardCounts;
  readonly #shared: Lane;
  readonly #lanes = new Map<string, Lane>();

  constructor(
    { key, options }: Pick<ManifestDependency, "key" | "options">,
    { service, log, metrics, clock }: Pick<DependencySetupHost, "service" | "log" | "metrics" | "clock">,
  ) {
    const { service: called, all, methods } = options as unknown as PolicyTable;
    this.#key = key;
    this.#service = called;
    this.#log = log;
    this.#clock = clock;
    this.#counts = new GuardCounts(metrics, service, key);
    this.#shared = this.#lane(all, NO_LANE, "*");
    for (const [method, own] of Object.entries(methods)) {
      this.#lanes.set(method, this.#lane(own, this.#shared, method));
    }
  }

  /** Counts a call whose result its fallback has given. */
  fellBack(): void {
    this.#counts.fallbacks.add();
  }

  /**
   * Sends a request when the policies let it through.
   *
   * @throws {CircuitOpenError} If the circuit is open.
   * @throws {BulkheadFullError} If too many requests wait already.
   * @throws {RateLimitedError} If there were too many requests.
   * @throws {CallTimeoutError} If its time is over before the request is sent.
   */
  async request(
    request: Request,
    { timeout, signal }: RequestOptions,
    send: Send,
  ): Promise<RequestAnswer> {
    const { guard, ...rest } = request;
    const { attempt, off } = guard!;
    if (attempt > 1) this.#counts.retries.add();
    const { circuit, bulkhead, rateLimit } = without(off, this.#lanes.get(request.method) ?? this.#shared);
    const end = this.#clock.steady() + timeout;
    if (circuit !== undefined) this.#requireClosed(request, circuit.circuit);
    if (bulkhead !== undefined) await this.#enter(request, bulkhead, timeout, signal);
    try {
      if (rateLimit !== undefined) this.#requireRate(request, rateLimit);
      if (circuit !== undefined) this.#requireClosed(request, circuit.circuit);
      const left = end - this.#clock.steady();
      const settle = circuit?.circuit.admit();
      let verdict: CallVerdict;
      try {
        const headers = withTimeLeft(request.headers, left);
        const body = await send({ ...rest, headers }, { timeout: left, ...(signal && { signal }) });
        if (circuit !== undefined) verdict = hasFailed(body, circuit.on) ? "failed" : "succeeded";
        return body;
      } catch (error) {
        if (circuit !== undefined && isUnavailable(error, circuit.on)) verdict = "failed";
        throw error;
      } finally {
        settle?.(verdict);
      }
    } finally {
      bulkhead?.leave();
    }
  }

  #requireClosed({ method }: Request, circuit: Circuit): void {
    const closedFor = circuit.closedFor();
    if (closedFor === undefined) return;
    this.#counts.rejected("circuit");
    const until = closedFor === 0
      ? "calls under way test whether it works again"
      : `the next call is let through in ${seconds(closedFor)}`;
    throw new CircuitOpenError(
      `${this.#cannot(method)}: its circuit is open, because the service has failed, and ${until}. ` +
        `Check service "${this.#service}", or give the client a fallback`,
    );
  }

  async #enter(
    { method }: Request,
    bulkhead: Bulkhead,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { concurrent, waiting } = bulkhead.numbers;
    using limit = timeLimit(timeout, signal, this.#clock);
    let entered: boolean;
    try {
      entered = await bulkhead.enter(limit.signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new CallTimeoutError(
        `${this.#cannot(method)}: it waited ${
          seconds(timeout)
        } for one of ${concurrent} calls under way to end. ` +
          "Allow more time, or raise concurrent of the bulkhead",
      );
    }
    if (entered) return;
    this.#counts.rejected("bulkhead");
    throw new BulkheadFullError(
      `${this.#cannot(method)}: ${concurrent} calls are under way, and ${waiting} wait already. ` +
        "Call later, or raise concurrent or waiting of the bulkhead",
    );
  }

  #requireRate({ method }: Request, { bucket, perSecond }: NonNullable<Lane["rateLimit"]>): void {
    if (bucket.take()) return;
    this.#counts.rejected("rate");
    throw new RateLimitedError(
      `${this.#cannot(method)}: the client has sent its ${perSecond} calls a second. ` +
        `Call again in ${seconds(bucket.wait())}, or raise perSecond or burst of rateLimit`,
    );
  }

  #cannot(method: string): string {
    return `Cannot call "${this.#service}.${method}" through client "${this.#key}"`;
  }

  #lane({ circuit, bulkhead, rateLimit }: PlainPolicies, shared: Lane, method: string): Lane {
    return {
      circuit: own(circuit, shared.circuit, (numbers) => this.#circuit(numbers, method)),
      bulkhead: own(
        bulkhead,
        shared.bulkhead,
        (numbers) => new Bulkhead(numbers as unknown as BulkheadNumbers),
      ),
      rateLimit: own(rateLimit, shared.rateLimit, (numbers) => {
        const rate = numbers as unknown as RateNumbers;
        return { bucket: new TokenBucket(rate, this.#clock), perSecond: rate.perSecond };
      }),
    };
  }

  #circuit(numbers: NonNullable<PlainPolicies["circuit"]>, method: string): Lane["circuit"] {
    const { on, ...rest } = numbers as unknown as CircuitNumbers & { readonly on: readonly string[] };
    const gauge = this.#counts.circuit(method);
    const circuit = new Circuit(rest, (state) => {
      gauge.set(STATES.indexOf(state));
      this.#tell(state, method, rest.open);
    }, this.#clock);
    return { circuit, on };
  }

  #tell(state: CircuitState, method: string, open: number): void {
    const calls = method === "*" ? `service "${this.#service}"` : `"${this.#service}.${method}"`;
    const circuit = `The circuit of client "${this.#key}" for ${calls} is ${state}`;
    if (state === "open") {
      this.#log.warning(`${circuit}: too many calls have failed. Calls fail at once for ${seconds(open)}`);
    } else if (state === "half-open") {
      this.#log.info(`${circuit}: the next calls test whether it works again`);
    } else this.#log.info(`${circuit}: the service works again`);
  }
}

/** The states of a circuit, in the order of their numbers in the metric. */
const STATES: readonly CircuitState[] = ["closed", "half-open", "open"];

const NO_LANE: Lane = { circuit: undefined, bulkhead: undefined, rateLimit: undefined };

function own<Made, Numbers>(
  numbers: Numbers | false | undefined,
  shared: Made | undefined,
  make: (numbers: Numbers) => Made,
): Made | undefined {
  if (numbers === undefined) return shared;
  return numbers === false ? undefined : make(numbers);
}

function without(off: readonly string[], lane: Lane): Lane {
  if (off.length === 0) return lane;
  return Object.fromEntries(
    Object.entries(lane).map(([name, part]) => [name, off.includes(name) ? undefined : part]),
  ) as unknown as Lane satisfies Record<(typeof GUARDS)[number], unknown>;
}

/** The end of a response that tells of no error, as Nameko and Enoki write it. What they answer may be large. */
const NO_ERROR = /"error":\s?null\}$/;

/** Longest end of a response that tells of no error. */
const NO_ERROR_LENGTH = 16;

function hasFailed(body: RequestAnswer, on: readonly string[]): boolean {
  // Only the thread has the serializer of an answer in another content type, so it counts as a success.
  if (typeof body === "object" && !(body instanceof Uint8Array)) return false;
  if (typeof body === "string" && NO_ERROR.test(body.slice(-NO_ERROR_LENGTH))) return false;
  try {
    decodeResponse(body);
    return false;
  } catch (error) {
    return isUnavailable(error, on);
  }
}

function seconds(milliseconds: number): string {
  return milliseconds < 1_000
    ? `${Math.max(1, Math.round(milliseconds))} ms`
    : `${(milliseconds / 1_000).toFixed(1)} s`;
}
