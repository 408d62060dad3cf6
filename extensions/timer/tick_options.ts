import { type Conversion, entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";

/** What every entrypoint has that the clock fires. */
export interface TickOptions {
  /**
   * `"cluster"`: of all instances of the service, one at a time ticks, elected through the broker.
   *
   * When that instance goes, another takes over within about a second, and a tick that came due meanwhile is
   * skipped. It is no lock: an instance that is cut off ticks until it notices (for RabbitMQ, until its
   * heartbeat fails), and a tick that was running then is not stopped; so a tick may be fired by two.
   *
   * @default {every instance ticks}
   */
  readonly once?: "cluster";
  /**
   * Milliseconds that a tick may run. Then its signal is aborted, and a handler that does not end at once loses
   * its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: number;
  /** Names of error classes that are no fault of the service; logged at info instead of error. @default {[]} */
  readonly expected?: readonly string[];
}

/** Makes an entrypoint whose handler receives nothing but its context, and whose result goes nowhere. */
export function tickEntrypoint<Kind extends string>(
  kind: Kind,
  plan: PlainRecord,
  { once, timeout, expected }: TickOptions,
): EntrypointSpec<Kind, []> {
  if (once !== undefined && once !== "cluster") {
    throw new TypeError(`Cannot declare a ${kind}: once must be "cluster", got ${JSON.stringify(once)}`);
  }
  return entrypoint({
    kind,
    options: once === undefined ? plan : { ...plan, once },
    expected,
    timeout,
    prepare: () => TICK,
  });
}

const TICK: Conversion = { decode: () => [], encode: () => undefined };
