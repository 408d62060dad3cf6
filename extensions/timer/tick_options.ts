import type { Duration } from "../../runtime/waiting/duration.ts";
import { type Conversion, entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import type { MethodPriority } from "../../runtime/service/limits/method_limits.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";

/** Options of every entrypoint that the clock fires. */
export interface TickOptions extends MethodPriority {
  /**
   * With `"cluster"`, one instance of the service at a time ticks. The instances elect it through the broker.
   *
   * When that instance goes, another one takes over within five seconds. A tick that came due meanwhile is
   * skipped. The election is not a lock: an instance that is cut off ticks until it notices that (for
   * RabbitMQ, until its heartbeat fails), and it does not stop a tick that is running then. So two instances
   * may fire the same tick.
   *
   * @default {every instance ticks}
   */
  readonly once?: "cluster";
  /**
   * Milliseconds that a tick may run. After that the runtime aborts the signal of the tick, and a handler
   * that does not end at once loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration;
  /**
   * Names of error classes that are not the fault of the service. The runtime logs such errors at info
   * instead of error.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
}

/** Makes an entrypoint whose handler receives only its context, and whose result nobody receives. */
export function tickEntrypoint<Kind extends string>(
  kind: Kind,
  plan: PlainRecord,
  { once, timeout, expected, priority }: TickOptions,
): EntrypointSpec<Kind, []> {
  if (once !== undefined && once !== "cluster") {
    throw new TypeError(`Cannot declare a ${kind}: once must be "cluster", got ${JSON.stringify(once)}`);
  }
  return entrypoint({
    kind,
    options: once === undefined ? plan : { ...plan, once },
    expected,
    timeout,
    priority,
    prepare: () => TICK,
  });
}

const TICK: Conversion = { decode: () => [], encode: () => undefined };
