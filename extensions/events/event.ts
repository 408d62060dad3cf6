import type { Duration } from "../../runtime/waiting/duration.ts";
import type { MethodLimits } from "../../runtime/service/limits/method_limits.ts";
import { type Conversion, entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { type Once, onceOptions, oncePolicy } from "../../runtime/service/effects/once.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import { retryOptions, type RetryPolicy } from "../../runtime/message/retry.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { payloadConversion, type PayloadOptions } from "../../runtime/service/payload_conversion.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { EventPayload, EventType, SourceName } from "./event_source.ts";
import type { EventDelivery } from "./topology.ts";

/** Options of {@linkcode event}. */
export interface EventOptions<Payload = unknown> extends MethodLimits {
  /** Receivers of an event. @default {"pool"} */
  readonly delivery?: EventDelivery;
  /**
   * Whether events wait in the broker while no handler runs. If not, the broker drops them.
   *
   * @default {true, and false for `broadcast`}
   */
  readonly reliable?: boolean;
  /**
   * Id that tells the instances of a broadcast handler apart. `"uuid"` makes a new id at each start,
   * `"hostname"` takes the name of the machine, `{ config: "KEY" }` takes a text of the configuration, and
   * any other text is itself the id.
   *
   * @default {"uuid"}
   */
  readonly broadcastId?: string | { readonly config: string };
  /**
   * Whether the broker offers an event again if its handler failed, at once and without end.
   *
   * @default {false}
   */
  readonly requeueOnError?: boolean;
  /**
   * Whether an event that the broker delivers again has no second effect. A dependency that keeps an inbox remembers
   * the ids of the events that were handled, in the transaction of the handler. An event without an id goes to the
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
  /**
   * Number of events that an instance holds at a time, at least 1.
   *
   * @default {as many as the threads can use}
   */
  readonly prefetch?: number;
  /** Serializers that read content types other than JSON, text and bytes. @default {[]} */
  readonly serializers?: readonly Serializer[];
  /**
   * Whether integers of JSON beyond 2⁵³ arrive as `bigint`. Without it, an event with such an integer is a dead letter.
   *
   * @default {the configured `bigints`, false}
   */
  readonly bigints?: boolean;
}

const OPTIONS: OptionNames<EventOptions> = {
  delivery: true,
  reliable: true,
  broadcastId: true,
  requeueOnError: true,
  once: true,
  retry: true,
  expected: true,
  redact: true,
  timeout: true,
  prefetch: true,
  serializers: true,
  bigints: true,
  concurrency: true,
  rate: true,
  priority: true,
};

const DELIVERIES: readonly string[] = ["pool", "singleton", "broadcast"];

/**
 * Declares that a method handles the events of one type that a service dispatches.
 *
 * The handler gets the payload, and its result is ignored. The broker takes the event off its queue when the
 * handler has returned or failed.
 *
 * `event<typeof orders, "placed">("orders", "placed")` takes the type of the service that dispatches the events: an
 * event that it does not dispatch does not compile, and the payload has the type of its dispatcher, as JSON has it.
 * `event<Order>("orders", "placed")` states the payload.
 *
 * @typeParam Source The type of the service or contract that dispatches the events, or of the payload.
 * @typeParam Type The event once more, because TypeScript infers no type beside one that is given. Without it, the
 * payload is that of any event of the source.
 * @param source Name of the service that dispatches the events.
 * @param type Type of the event or a pattern: `*` stands for one word between dots, `#` for any number.
 * @throws {TypeError} If `source` or `type` is empty, an option is not known, or the options contradict each other.
 * @throws {RangeError} If a number among the options is out of its range.
 *
 * @example
 * ```ts ignore
 * import { event, service } from "@enoki/enoki";
 * import type orders from "./orders.ts";
 *
 * export default service("mail", {
 *   entrypoints: { confirm: event<typeof orders, "placed">("orders", "placed", { retry: { max: 5 } }) },
 *   handlers: { confirm: ({ call }, order) => call.log.info(`order ${order.id} is on its way`) },
 * });
 * ```
 */
export function event<Source = unknown, const Type extends EventType<Source> = EventType<Source>>(
  source: SourceName<Source>,
  type: Type,
  {
    delivery = "pool",
    reliable = delivery !== "broadcast",
    broadcastId,
    requeueOnError = false,
    once,
    retry,
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    prefetch,
    serializers,
    bigints,
    ...others
  }: EventOptions<EventPayload<Source, Type>> = {},
): EntrypointSpec<"event", [payload: EventPayload<Source, Type>]> {
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot handle event "${type}" of "${source}": ${reason}`);
  };
  requireKnown(`Cannot handle event "${type}" of "${source}"`, "it", others, OPTIONS);
  if (source === "" || type === "") refuse("source and type must not be empty");
  if (!DELIVERIES.includes(delivery)) {
    refuse(`delivery "${delivery}" is none of ${DELIVERIES.join(", ")}`);
  }
  if (delivery !== "broadcast" && broadcastId !== undefined) {
    refuse(`broadcastId has no meaning for delivery "${delivery}". Leave it out`);
  }
  if (delivery === "broadcast" && reliable && (broadcastId === undefined || broadcastId === "uuid")) {
    refuse(
      "the default broadcastId is new with each start, so no instance would ever get the events that wait. " +
        "Give each instance a different broadcastId, or leave reliable out",
    );
  }
  const policy = oncePolicy(once, `handle event "${type}" of "${source}"`);
  if (policy !== undefined && delivery === "broadcast") {
    refuse(
      "each instance handles a broadcast, and `once` lets only one of them do so. Leave one of them out",
    );
  }
  if (prefetch !== undefined && !(Number.isInteger(prefetch) && prefetch >= 1)) {
    throw new RangeError(`Cannot handle event "${type}": prefetch must be 1 or more, got ${prefetch}`);
  }
  const options: Record<string, Plain> = { source, type, delivery, reliable };
  if (delivery === "broadcast") options.broadcastId = broadcastId ?? "uuid";
  if (requeueOnError) options.requeueOnError = true;
  if (retry !== undefined) options.retry = retryOptions(retry);
  if (prefetch !== undefined) options.prefetch = prefetch;
  if (policy !== undefined) options.once = onceOptions(policy);
  return entrypoint({
    kind: "event",
    options,
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    once: policy,
    prepare: ({ payloads }) =>
      (policy === undefined ? payloadConversion : payloadAlone)(serializers, { payloads, bigints }),
  });
}

/** Makes the conversion of an event that comes with its facts, which only `once` needs. */
function payloadAlone(
  serializers: readonly Serializer[] | undefined,
  options: PayloadOptions,
): Conversion {
  const { decode, encode } = payloadConversion(serializers, options);
  return { decode: ({ message: _facts, ...payload }, call) => decode(payload, call), encode };
}
