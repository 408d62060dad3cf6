import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../waiting/duration.ts";
import { CallError } from "./errors.ts";
import type { Failure } from "./failure.ts";
import type { PlainRecord } from "./plain.ts";

/** How long to wait before each retry, in milliseconds. */
export interface Backoff {
  /** Milliseconds before the first retry. @default {1_000} */
  readonly initial?: Duration;
  /** Factor by which the wait grows with each retry. @default {2} */
  readonly factor?: number;
  /** Longest wait before a retry, in milliseconds. @default {300_000} */
  readonly limit?: Duration;
}

/** How often and when the runtime offers a failed message, or a failed RPC request, again. */
export interface RetryPolicy {
  /**
   * Largest number of retries. After them, a message goes to the dead-letter queue, and the caller of a request gets
   * the failure.
   *
   * @default {20}
   */
  readonly max?: number;
  /** Milliseconds before each retry, or how that time grows. @default {{}} */
  readonly backoff?: Duration | Backoff;
}

const DEFAULT_MAX = 20;

/**
 * A handler throws it so that the runtime offers the message or the RPC request again later.
 *
 * The message waits in the broker, not in this process. The entrypoint's `retry.max`, 20 by default, limits
 * how often the message is offered again.
 *
 * @example
 * ```ts ignore
 * import { Retry } from "@enoki/enoki";
 *
 * throw new Retry({ after: "5s", cause: error });
 * ```
 */
export class Retry extends CallError {
  static {
    this.prototype.name = "Retry";
  }
  /**
   * Makes the error by which a handler asks to be called again.
   *
   * @param options.after Milliseconds to wait. @default {what the entrypoint's `backoff` says}
   */
  constructor({ after, ...options }: ErrorOptions & { readonly after?: Duration } = {}) {
    const delay = after === undefined ? null : millisecondsOf(after);
    if (delay !== null && !(delay >= 0 && delay <= LONGEST_DELAY)) {
      throw new RangeError(
        `Cannot retry: after must be from 0 to ${LONGEST_DELAY} ms, ${OR_TEXT}, got ${shownDuration(after)}`,
      );
    }
    super(options.cause instanceof Error ? `${ASKS}: ${options.cause.message}` : ASKS, {
      code: RETRY_CODE,
      retryable: true,
      data: { after: delay },
      ...options,
    });
  }
}

const RETRY_CODE = "RETRY";

const ASKS = "The handler asks for the message to be offered again";

/** Longest delay in milliseconds, nearly 25 days. RabbitMQ takes little more. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Says whether a handler failed because it asked for a retry. */
export function asksForRetry({ code }: Failure): boolean {
  return code === RETRY_CODE;
}

/** Returns the message of the error for which a handler asked for a retry, or undefined if it named none. */
export function reasonForRetry({ message }: Failure): string | undefined {
  return message.startsWith(`${ASKS}: `) ? message.slice(ASKS.length + 2) : undefined;
}

/** Says, for the log, when a message is tried again. */
export function describeRetry(
  handler: string,
  failure: Failure,
  policy: PlainRecord | undefined,
  { attempt, delay }: { readonly attempt: number; readonly delay: number },
): string {
  const reason = asksForRetry(failure) ? "asked for a retry" : "failed";
  return `${handler} ${reason}: attempt ${attempt + 1} of ${mostAttempts(policy)} in ${delay / 1_000} s`;
}

/** Says how often a message was tried. */
export function describeAttempts(attempt: number): string {
  return attempt === 1 ? "1 attempt" : `${attempt} attempts`;
}

/** Returns how often a message is tried at most. */
function mostAttempts(policy: PlainRecord | undefined): number {
  return ((policy ?? retryOptions({})) as Record<string, number>)["max"]! + 1;
}

/**
 * Checks a policy for the manifest, and fills in the defaults.
 *
 * @throws {RangeError} If a number of the policy is negative, or a wait is longer than
 * 2 ** 31 - 1 ms (nearly 25 days).
 */
export function retryOptions({ max = DEFAULT_MAX, backoff = {} }: RetryPolicy): PlainRecord {
  const { initial = 1_000, factor = 2, limit = 300_000 } = typeof backoff === "object"
    ? backoff
    : { initial: backoff, factor: 1, limit: backoff };
  const policy = { max, initial: millisecondsOf(initial), factor, limit: millisecondsOf(limit) };
  const most = { max: Infinity, initial: LONGEST_DELAY, factor: Infinity, limit: LONGEST_DELAY };
  const given: Readonly<Record<string, unknown>> = { max, initial, factor, limit };
  for (const [name, value] of Object.entries(policy)) {
    const longest = most[name as keyof typeof most];
    if (value >= 0 && value <= longest) continue;
    const range = longest === LONGEST_DELAY ? `${longest} ms, ${OR_TEXT}` : longest;
    throw new RangeError(
      `Cannot declare a retry: ${name} must be from 0 to ${range}, got ${shownDuration(given[name])}`,
    );
  }
  return policy;
}

/**
 * Returns the milliseconds until the next attempt, or undefined if there is no next attempt.
 *
 * @param policy The entrypoint's `retry` in the manifest, if the entrypoint has one.
 * @param attempt How often the message has failed, including this time.
 */
export function nextRetry(
  failure: Failure,
  policy: PlainRecord | undefined,
  attempt: number,
): number | undefined {
  const { max, initial, factor, limit } = (policy ?? retryOptions({})) as Record<string, number>;
  if (attempt > max!) return undefined;
  const after = (failure.data as { readonly after?: unknown } | undefined)?.after;
  if (asksForRetry(failure) && typeof after === "number") return after;
  // Zero times infinity is NaN, which counts as zero here.
  return Math.min(limit!, initial! * factor! ** (attempt - 1) || 0);
}
