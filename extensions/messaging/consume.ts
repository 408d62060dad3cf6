import type { Duration } from "../../runtime/waiting/duration.ts";
import type { MethodLimits } from "../../runtime/service/limits/method_limits.ts";
import {
  entrypoint,
  type EntrypointSpec,
  type OncePolicy,
  type ReceivedMessage,
} from "../../runtime/service/entrypoint.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import { retryOptions, type RetryPolicy } from "../../runtime/message/retry.ts";
import { type Once, onceOptions, oncePolicy } from "../../runtime/service/effects/once.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { payloadConversion } from "../../runtime/service/payload_conversion.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { Queue, UnnamedQueue } from "./queue.ts";
import { plainOffset, type QueueOffset } from "./queue_type.ts";
import { replyConversion } from "./reply_conversion.ts";

/** Options of {@linkcode consume}. */
export interface ConsumeOptions<Payload = unknown> extends MethodLimits {
  /**
   * Whether the broker offers a message again if its handler failed, at once and without end.
   *
   * @default {false}
   */
  readonly requeueOnError?: boolean;
  /**
   * Number of messages that an instance holds at a time, at least 1. The number 1 is fair dispatch, and
   * lets each record of a stream wait for the end of the one before.
   *
   * @default {as many as the threads can use}
   */
  readonly prefetch?: number;
  /** Where to begin in a stream. Each start of the service begins there again. @default {the queue's `offset`} */
  readonly offset?: QueueOffset;
  /**
   * Whether a message that the broker delivers again has no second effect. A dependency that keeps an inbox remembers
   * the ids of the messages that were handled, in the transaction of the handler. A message without an id goes to the
   * dead-letter queue.
   *
   * @default {false}
   */
  readonly once?: Once<Payload>;
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
  readonly timeout?: Duration;
  /** Serializers that read content types other than JSON, text and bytes. @default {[]} */
  readonly serializers?: readonly Serializer[];
  /**
   * Whether integers of JSON beyond 2⁵³ arrive as `bigint`, and `bigint`s in a reply are written as integers. Without
   * it, a message with such an integer is a dead letter.
   *
   * @default {the configured `bigints`, false}
   */
  readonly bigints?: boolean;
  /**
   * Whether the broker forgets each message before its handler runs, so that the handler runs at most once:
   * nothing is offered again, retried or dead-lettered, whatever becomes of the handler or of the process.
   *
   * Not more messages are forgotten at a time than `prefetch` says. So a long queue stays in the broker, which
   * would send all of it at once to a plain no-ack consumer of AMQP.
   *
   * @default {false}
   */
  readonly noAck?: boolean;
  /**
   * Whether the result of the handler goes to the queue that the message names as `replyTo`, with the message's
   * `correlationId` and, where it fits the result, in its content type, else as JSON.
   *
   * The broker takes the message off its queue when it has confirmed the reply. A failure is a reply, too: it has the
   * AMQP property `type` "error", and Nameko's error object as JSON. A message without `replyTo` is handled, and its
   * result is ignored.
   *
   * @default {false}
   */
  readonly reply?: boolean;
}

const OPTIONS: OptionNames<ConsumeOptions> = {
  requeueOnError: true,
  prefetch: true,
  offset: true,
  once: true,
  retry: true,
  expected: true,
  redact: true,
  timeout: true,
  serializers: true,
  bigints: true,
  noAck: true,
  reply: true,
  concurrency: true,
  rate: true,
  priority: true,
};

/**
 * Declares that a method handles the messages of a queue. Enoki declares and binds the queue first.
 *
 * The handler gets the payload, then everything else that the message says. Without `reply`, its result is
 * ignored. The broker takes the message off its queue when the handler has returned or failed. A message that
 * cannot be read never reaches the handler: it is logged and goes to the dead-letter queue `enoki.dead.<queue>`.
 *
 * A stream keeps its records, so each instance that consumes it gets all of them, with their numbers in
 * `message.offset`. A handler that fails is logged, and its record is not offered again. After the loss of the
 * broker, the consumer continues behind the last record whose handler has ended.
 *
 * @throws {RangeError} If a number among the options is out of its range.
 * @throws {TypeError} If an option is not known, or makes no sense for a queue of this type, or together with another option.
 *
 * @example
 * ```ts ignore
 * import { consume, queue, service } from "@enoki/enoki";
 *
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
  queue: Queue | UnnamedQueue,
  options: ConsumeOptions<Payload> = {},
): EntrypointSpec<"consume", [payload: Payload, message: ReceivedMessage]> {
  requireKnown(`Cannot consume ${labelOf(queue)}`, "it", options, OPTIONS);
  const { requeueOnError = false, prefetch, retry, noAck = false, reply = false, serializers, bigints } =
    options;
  const once = oncePolicy(options.once, `consume ${labelOf(queue)}`);
  requireSense(queue, options, once);
  const plain: Record<string, Plain> = "name" in queue
    ? { queue: queue.name }
    : { unnamedQueue: queue.ordinal };
  plain.topology = queue.topology as unknown as Plain;
  if ("name" in queue && isStream(queue)) {
    plain.offset = plainOffset(queue.name, options.offset ?? queue.offset ?? "next");
  }
  if (requeueOnError) plain.requeueOnError = true;
  if (prefetch !== undefined) plain.prefetch = prefetch;
  if (retry !== undefined) plain.retry = retryOptions(retry);
  if (noAck) plain.noAck = true;
  if (reply) plain.reply = true;
  if (once !== undefined) plain.once = onceOptions(once);
  const { expected, redact, timeout, concurrency, rate, priority } = options;
  return entrypoint({
    kind: "consume",
    options: plain,
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    once,
    prepare: ({ payloads }) =>
      (reply ? replyConversion : payloadConversion)(serializers, { payloads, bigints }),
  });
}

function isStream({ name, topology: { queues = [] } }: Queue): boolean {
  return queues.some((each) => each.name === name && each.arguments?.["x-queue-type"] === "stream");
}

function labelOf(queue: Queue | UnnamedQueue): string {
  return "name" in queue ? `queue "${queue.name}"` : "a queue without a name";
}

function requireSense(
  queue: Queue | UnnamedQueue,
  { prefetch, offset, requeueOnError = false, retry, noAck = false, reply = false }: Omit<
    ConsumeOptions,
    "once"
  >,
  once: OncePolicy | undefined,
): void {
  const name = labelOf(queue);
  if (prefetch !== undefined && !(Number.isInteger(prefetch) && prefetch >= 1)) {
    throw new RangeError(`Cannot consume ${name}: prefetch must be 1 or more, got ${prefetch}`);
  }
  const refuse = (option: string, other: string, why: string) => {
    throw new TypeError(
      `Cannot consume ${name} with both ${option} and ${other}: ${why}. Leave one of them out`,
    );
  };
  const again = { retry: retry !== undefined, requeueOnError };
  if ("name" in queue && isStream(queue)) refuseForStream(queue.name, { ...again, noAck, reply });
  else if (offset !== undefined) {
    throw new TypeError(`Cannot consume ${name} from an offset: only a stream has offsets`);
  }
  for (const [other, given] of Object.entries({ ...again, reply })) {
    if (given && noAck) refuse("noAck", other, "the broker has forgotten the message before it is handled");
  }
  if (once !== undefined && noAck) {
    refuse(
      "noAck",
      "once",
      "the broker forgets the message before it is handled, and never delivers it again",
    );
  }
  if (once !== undefined && reply) {
    refuse(
      "reply",
      "once",
      "the inbox does not keep the answer, so a message that comes again would get none",
    );
  }
  for (const [other, given] of Object.entries(again)) {
    if (given && reply) {
      refuse("reply", other, "who sent the message is told of the failure, and may send it again");
    }
  }
}

/** @throws {TypeError} If an option is set that makes no sense for a stream, which keeps its records for all readers. */
function refuseForStream(
  name: string,
  options: Readonly<Record<keyof typeof NOT_FOR_STREAMS, boolean>>,
): void {
  for (const [option, reason] of Object.entries(NOT_FOR_STREAMS)) {
    if (!options[option as keyof typeof options]) continue;
    throw new TypeError(
      `Cannot consume stream "${name}" with ${option}: ${reason}. Leave it out, or use a queue of another type`,
    );
  }
}

const NEW_RECORD = "a record that is offered again would be a new record for every reader";

/** Why a stream has no such option. */
const NOT_FOR_STREAMS = {
  retry: NEW_RECORD,
  requeueOnError: NEW_RECORD,
  noAck: "a stream forgets no record when it is handled",
  reply: "every reader of the record would reply",
} as const;
