/**
 * This file sends a request to its service again later, and reads what was sent again.
 *
 * The copy of a request waits in a delay queue, from which the broker sends it through the RPC exchange, with the
 * routing key of its method. So it arrives as a new request does, and every instance of the service can take it, also
 * one that runs Nameko. The original is acked, so a request that waits holds neither a thread nor a delivery.
 *
 * Whoever sends a request can forge the header that counts its attempts. The header is believed nevertheless, because
 * it says only how often the request of this sender is tried.
 *
 * An instance that runs nameko-amqp-retry 0.7 sends a request again through the default exchange. Its routing key is
 * then the name of the queue, and a header names the method.
 */
import { timeoutHeader } from "../../runtime/message/call_headers.ts";
import type { Failure } from "../../runtime/message/failure.ts";
import type { Outcome } from "../../runtime/message/outcome.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import {
  asksForRetry,
  describeAttempts,
  describeRetry,
  nextRetry,
  reasonForRetry,
} from "../../runtime/message/retry.ts";
import type { Delivery, FieldTable, Verdict } from "../../runtime/message/transport.ts";
import type { EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { ATTEMPT_HEADER, roundedDelay, sendLater, withoutAdded } from "../../runtime/hosting/message_fate.ts";
import { QueueCounts } from "../../runtime/hosting/queue_counts.ts";
import { fieldsOfCall } from "../../runtime/telemetry/call_fields.ts";
import { TRACEPARENT_KEY, traceparentOf } from "../../runtime/telemetry/trace.ts";

/** Header in which nameko-amqp-retry names the method, as the routing key of the first request does. */
const METHOD_HEADER = "nameko.rpc_method_id";

/** Header in which nameko-amqp-retry names the delay queue by its milliseconds. */
const BACKOFF_HEADER = "backoff";

/** Returns the routing key with which the caller has sent a request. */
export function methodKeyOf({ routingKey, properties }: Delivery, queue: string): string {
  if (routingKey !== queue) return routingKey;
  const named = properties.headers?.[METHOD_HEADER];
  return typeof named === "string" ? named : routingKey;
}

/**
 * Returns the headers of a request without what its earlier attempts have added.
 *
 * The name of the method must not travel on as context data: a service with nameko-amqp-retry would look for that
 * method in itself.
 */
export function requestHeaders(headers: FieldTable | undefined): FieldTable | undefined {
  if (headers === undefined || !(ATTEMPT_HEADER in headers || METHOD_HEADER in headers)) return headers;
  const { [METHOD_HEADER]: method, [BACKOFF_HEADER]: backoff, ...kept } = withoutAdded(headers);
  return method !== undefined || backoff === undefined ? kept : { ...kept, [BACKOFF_HEADER]: backoff };
}

type FailedOutcome = Extract<Outcome, { readonly status: "failed" }>;

/** A request whose handler has failed. */
export interface FailedRequest {
  readonly delivery: Delivery;
  readonly entry: HostedEntrypoint;
  readonly outcome: FailedOutcome;
  /** Epoch milliseconds after which the caller waits no longer. Undefined if it has not said so. */
  readonly deadline: number | undefined;
}

/** Says whether a failed request is to be tried again, as long as there are retries left. */
export function wantsRetry(
  { failure, expected, undecoded }: FailedOutcome,
  entry: HostedEntrypoint,
): boolean {
  return asksForRetry(failure) || (entry.options["retry"] !== undefined && !expected && !undecoded);
}

/** Sends failed requests of one service again. */
export class RequestRetry {
  readonly #host: EntrypointHost;
  readonly #exchange: string;
  readonly #queue: string;
  readonly #counts: QueueCounts;

  /** @param at The exchange and the queue through which requests come to the service. */
  constructor(host: EntrypointHost, at: { readonly exchange: string; readonly queue: string }) {
    this.#host = host;
    this.#exchange = at.exchange;
    this.#queue = at.queue;
    this.#counts = new QueueCounts(host);
  }

  /** Sends a request again later, and returns the verdict on it; or else returns what its caller gets. */
  async decide(request: FailedRequest): Promise<Verdict | FailedOutcome> {
    const { delivery, entry, outcome, deadline } = request;
    const { service, log, signal, clock } = this.#host;
    const { failure, traceparent } = outcome;
    const policy = entry.options["retry"] as PlainRecord | undefined;
    const handler = `${service}.${entry.method}`;
    const fields = fieldsOfCall(service, entry.method, traceparent);
    const attempt = attemptOf(delivery);
    const next = nextRetry(failure, policy, attempt);
    if (next === undefined) {
      const end = `Gave up after ${describeAttempts(attempt)}`;
      log.error(`${handler}: ${end}: ${reasonOf(failure)}. The caller gets this failure`, {}, fields);
      return endOf(outcome, end);
    }
    const delay = roundedDelay(next);
    const arrival = clock.now() + delay;
    if (deadline !== undefined && arrival >= deadline) {
      const end = `Gave up after ${describeAttempts(attempt)}, because the caller does not wait ${
        delay / 1_000
      } s longer`;
      log.warning(`${handler}: ${end}: ${reasonOf(failure)}. The caller gets this failure`, {}, fields);
      return endOf(outcome, end);
    }
    try {
      await this.#sendAgain(request, { attempt, delay, arrival });
    } catch (error) {
      if (signal.aborted || delivery.signal.aborted) return "requeue";
      log.error(
        `Cannot retry ${handler}: ${(error as Error).message}. The caller gets the failure`,
        {},
        fields,
      );
      return outcome;
    }
    this.#counts.retried(this.#queue);
    log.info(describeRetry(handler, failure, policy, { attempt, delay }), {}, fields);
    return "ack";
  }

  async #sendAgain(
    { delivery, entry, outcome: { traceparent }, deadline }: FailedRequest,
    { attempt, delay, arrival }: {
      readonly attempt: number;
      readonly delay: number;
      readonly arrival: number;
    },
  ): Promise<void> {
    const { service, transport, signal, log } = this.#host;
    const outbox = { transport, queue: this.#queue, signal, log };
    const isUntraced = traceparentOf(delivery.properties.headers) === undefined;
    await sendLater(
      outbox,
      delivery,
      delay,
      { exchange: this.#exchange, routingKey: `${service}.${entry.method}` },
      {
        [ATTEMPT_HEADER]: attempt,
        ...(deadline !== undefined && timeoutHeader(deadline, arrival)),
        ...(isUntraced && traceparent !== undefined && { [`nameko.${TRACEPARENT_KEY}`]: traceparent }),
      },
    );
  }
}

/** Returns the number of the attempt that has failed, from 1. */
function attemptOf({ properties: { headers } }: Delivery): number {
  const before = headers?.[ATTEMPT_HEADER];
  return Number.isSafeInteger(before) && (before as number) > 0 ? before as number + 1 : 1;
}

function reasonOf(failure: Failure): string {
  if (!asksForRetry(failure)) return `${failure.name}: ${failure.message}`;
  return reasonForRetry(failure) ?? "the handler has named no reason";
}

/** Makes the outcome for the caller. That of a `Retry` says what became of the retries. */
function endOf(outcome: FailedOutcome, end: string): FailedOutcome {
  if (!asksForRetry(outcome.failure)) return outcome;
  return { ...outcome, failure: { ...outcome.failure, message: `${end}: ${reasonOf(outcome.failure)}` } };
}
