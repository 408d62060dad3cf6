import { entrypoint, type EntrypointSpec, type ReceivedMessage } from "../../runtime/service/entrypoint.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import { retryOptions, type RetryPolicy } from "../../runtime/message/retry.ts";
import { payloadConversion } from "../../runtime/service/payload_conversion.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { Queue } from "./queue.ts";
import { plainOffset, type QueueOffset } from "./queue_type.ts";

/** Options of {@linkcode consume}. */
export interface ConsumeOptions {
  /**
   * Whether the broker offers a message again if its handler failed, at once and without end.
   *
   * @default {false}
   */
  readonly requeueOnError?: boolean;
  /**
   * Number of messages that an instance holds at a time, at least 1. The number 1 is fair dispatch.
   *
   * @default {as many as the threads can use}
   */
  readonly prefetch?: number;
  /** Where to begin in a stream. Each start of the service begins there again. @default {the queue's `offset`} */
  readonly offset?: QueueOffset;
  /** Retries after the handler has failed. @default {only when the handler throws `Retry`} */
  readonly retry?: RetryPolicy;
  /**
   * Names of error classes that are no fault of the handler. Such an error is logged at level info and causes
   * no retry.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds that the handler may take. After that time the call fails, and the pool ends its thread if
   * the handler does not end.
   *
   * @default {no limit}
   */
  readonly timeout?: number;
  /** Serializers that read content types other than JSON, text and bytes. @default {[]} */
  readonly serializers?: readonly Serializer[];
}

/**
 * Declares that a method handles the messages of a queue. Enoki declares and binds the queue first.
 *
 * The handler gets the payload, then everything else that the message says. Its result is ignored. The broker
 * takes the message off its queue when the handler has returned or failed. A message that cannot be read
 * never reaches the handler: it is logged and goes to the dead-letter queue `enoki.dead.<queue>`.
 *
 * A stream keeps its records, so each instance that consumes it gets all of them, with their numbers in
 * `message.offset`. A handler that fails is logged, and its record is not offered again. After the loss of the
 * broker, the consumer continues behind the last record whose handler has ended.
 *
 * @throws {RangeError} If a number among the options is out of its range.
 * @throws {TypeError} If an option makes no sense for a queue of this type.
 *
 * @example
 * ```ts
 * const jobs = queue("jobs");
 * export default service("worker", {
 *   entrypoints: { work: consume<Job>(jobs, { prefetch: 1, retry: { max: 5 } }) },
 *   handlers: {
 *     work({ call }, job, { properties }) {
 *       call.log.info(job.title, { id: properties.messageId });
 *     },
 *   },
 * });
 * ```
 */
export function consume<Payload = unknown>(
  queue: Queue,
  { requeueOnError = false, prefetch, offset, retry, expected, redact, timeout, serializers }:
    ConsumeOptions = {},
): EntrypointSpec<"consume", [payload: Payload, message: ReceivedMessage]> {
  const { name, topology } = queue;
  if (prefetch !== undefined && !(Number.isInteger(prefetch) && prefetch >= 1)) {
    throw new RangeError(`Cannot consume queue "${name}": prefetch must be 1 or more, got ${prefetch}`);
  }
  const options: Record<string, Plain> = { queue: name, topology: topology as unknown as Plain };
  if (isStream(queue)) {
    refuseForStream(name, { retry: retry !== undefined, requeueOnError });
    options.offset = plainOffset(name, offset ?? queue.offset ?? "next");
  } else if (offset !== undefined) {
    throw new TypeError(`Cannot consume queue "${name}" from an offset: only a stream has offsets`);
  }
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

function isStream({ name, topology: { queues = [] } }: Queue): boolean {
  return queues.some((each) => each.name === name && each.arguments?.["x-queue-type"] === "stream");
}

/** @throws {TypeError} If an option is set that would publish a record again. */
function refuseForStream(name: string, options: Readonly<Record<string, boolean>>): void {
  for (const [option, isSet] of Object.entries(options)) {
    if (!isSet) continue;
    throw new TypeError(
      `Cannot consume stream "${name}" with ${option}: a record that is offered again would be a new record for ` +
        "every reader. Leave it out, or use a queue of another type",
    );
  }
}
