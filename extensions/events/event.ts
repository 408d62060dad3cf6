import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import type { Plain } from "../../runtime/message/plain.ts";
import { retryOptions, type RetryPolicy } from "../../runtime/message/retry.ts";
import { payloadConversion } from "../../runtime/service/payload_conversion.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";

/**
 * Who gets an event: one instance of each service and method that handles it (`pool`), one handler in the whole
 * cluster (`singleton`), or every instance (`broadcast`).
 */
export type EventDelivery = "pool" | "singleton" | "broadcast";

/** Options of {@linkcode event}. */
export interface EventOptions {
  /** @default {"pool"} */
  readonly delivery?: EventDelivery;
  /**
   * Whether events wait in the broker while no handler runs. If not, they are dropped then.
   *
   * @default {true, and false for `broadcast`}
   */
  readonly reliable?: boolean;
  /**
   * Tells the instances of a broadcast handler apart: `"uuid"` is new with each start, `"hostname"` is the
   * machine's, `{ config: "KEY" }` is a text of the configuration, any other text is taken as it is.
   *
   * @default {"uuid"}
   */
  readonly broadcastId?: string | { readonly config: string };
  /** Whether an event whose handler failed is offered again, at once and without end. @default {false} */
  readonly requeueOnError?: boolean;
  /** When an event whose handler failed is offered again. @default {only when the handler throws `Retry`} */
  readonly retry?: RetryPolicy;
  /** Names of error classes that are no fault of the handler: logged at info, not retried. @default {[]} */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /** Milliseconds that the handler may take; then it fails, and loses its thread if it does not end. @default {no limit} */
  readonly timeout?: number;
  /** Events held at a time, at least 1. @default {what the threads can make use of} */
  readonly prefetch?: number;
  /** How to read content types other than JSON, text and bytes. @default {[]} */
  readonly serializers?: readonly Serializer[];
}

const DELIVERIES: readonly string[] = ["pool", "singleton", "broadcast"];

/**
 * Declares that a method handles the events of one type that a service dispatches.
 *
 * The handler gets the payload; what it returns is ignored. The event is taken off its queue when the handler has
 * returned or failed.
 *
 * @param source Name of the service that dispatches.
 * @param type The event's type, or a pattern: `*` stands for one of its words between dots, `#` for any number.
 * @throws {TypeError} If source or type are empty, or the options contradict each other.
 * @throws {RangeError} If a number makes no sense.
 */
export function event<Payload = unknown>(
  source: string,
  type: string,
  {
    delivery = "pool",
    reliable = delivery !== "broadcast",
    broadcastId,
    requeueOnError = false,
    retry,
    expected,
    redact,
    timeout,
    prefetch,
    serializers,
  }: EventOptions = {},
): EntrypointSpec<"event", [payload: Payload]> {
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot handle event "${type}" of "${source}": ${reason}`);
  };
  if (source === "" || type === "") refuse("source and type must not be empty");
  if (!DELIVERIES.includes(delivery)) {
    refuse(`delivery "${delivery}" is none of ${DELIVERIES.join(", ")}`);
  }
  if (delivery !== "broadcast" && broadcastId !== undefined) {
    refuse(`broadcastId has no meaning for delivery "${delivery}". Leave it out`);
  }
  if (delivery === "broadcast" && reliable && (broadcastId === undefined || broadcastId === "uuid")) {
    refuse(
      "the default broadcastId is new with each start, so nobody would ever come back for the events that wait. " +
        "Give a broadcastId of its own to each instance, or leave reliable out",
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
  return entrypoint({
    kind: "event",
    options,
    expected,
    redact,
    timeout,
    prepare: () => payloadConversion(serializers),
  });
}
