import { entrypoint, type EntrypointSpec, type ReceivedMessage } from "../../runtime/service/entrypoint.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import { retryOptions, type RetryPolicy } from "../../runtime/message/retry.ts";
import { payloadConversion } from "../../runtime/service/payload_conversion.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { Queue } from "./queue.ts";

/** Options of {@linkcode consume}. */
export interface ConsumeOptions {
  /** Whether a message whose handler failed is offered again, at once and without end. @default {false} */
  readonly requeueOnError?: boolean;
  /** Messages held at a time, at least 1; 1 is fair dispatch. @default {what the threads can make use of} */
  readonly prefetch?: number;
  /** When a message whose handler failed is offered again. @default {only when the handler throws `Retry`} */
  readonly retry?: RetryPolicy;
  /** Names of error classes that are no fault of the handler: logged at info, not retried. @default {[]} */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /** Milliseconds that the handler may take; then it fails, and loses its thread if it does not end. @default {no limit} */
  readonly timeout?: number;
  /** How to read content types other than JSON, text and bytes. @default {[]} */
  readonly serializers?: readonly Serializer[];
}

/**
 * Declares that a method handles the messages of a queue, which is declared, and bound, before.
 *
 * The handler gets the payload, and what else the message says; what it returns is ignored. The message is taken
 * off its queue when the handler has returned or failed. One that cannot be read never reaches the handler: it is
 * logged and goes to the dead-letter queue `enoki.dead.<queue>`.
 *
 * @throws {RangeError} If a number makes no sense.
 *
 * @example
 * ```ts
 * const jobs = queue("jobs");
 * export default service("worker", {
 *   entrypoints: { work: consume<Job>(jobs, { prefetch: 1, retry: { max: 5 } }) },
 *   handlers: { work({ call }, job, { properties }) { call.log.info(job.title, { id: properties.messageId }); } },
 * });
 * ```
 */
export function consume<Payload = unknown>(
  { name, topology }: Queue,
  { requeueOnError = false, prefetch, retry, expected, redact, timeout, serializers }: ConsumeOptions = {},
): EntrypointSpec<"consume", [payload: Payload, message: ReceivedMessage]> {
  if (prefetch !== undefined && !(Number.isInteger(prefetch) && prefetch >= 1)) {
    throw new RangeError(`Cannot consume queue "${name}": prefetch must be 1 or more, got ${prefetch}`);
  }
  const options: Record<string, Plain> = { queue: name, topology: topology as unknown as Plain };
  if (requeueOnError) options.requeueOnError = true;
  if (prefetch !== undefined) options.prefetch = prefetch;
  if (retry !== undefined) options.retry = retryOptions(retry);
  return entrypoint({
    kind: "consume",
    options,
    expected,
    redact,
    timeout,
    prepare: () => payloadConversion(serializers),
  });
}
