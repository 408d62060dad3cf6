import type { Plain, PlainRecord } from "../../message/plain.ts";
import { numberOptions } from "./number_options.ts";
import { RATE, type Rate } from "./rate.ts";

/**
 * How much a method may do in each process of its service. What is above a limit waits, and holds no thread.
 *
 * A limit counts the calls that come through the entrypoint that states it.
 */
export interface MethodLimits extends MethodPriority {
  /**
   * Largest number of calls that run at once, whatever the threads could run. A call counts until it has its outcome,
   * and a stream until its end.
   *
   * @default {no limit}
   */
  readonly concurrency?: number | undefined;
  /** How often a call may begin. @default {no limit} */
  readonly rate?: Rate | undefined;
}

/** Which calls get a thread first. */
export interface MethodPriority {
  /**
   * An integer. Among the calls that wait for a thread, those of a higher priority go first, however long the others
   * have waited; those of the same priority go in the order in which they came.
   *
   * @default {0}
   */
  readonly priority?: number | undefined;
}

/**
 * What becomes of a call above a limit.
 *
 * - `hold`: it waits for any time. Its message stays in the hands of this process.
 * - `wait`: it waits until its deadline, together with a bounded number of others.
 * - `refuse`: as `wait`, but above a rate it fails at once.
 */
export type OverLimit = "hold" | "wait" | "refuse";

/**
 * Checks limits, and makes plain data of them for the manifest.
 *
 * @throws {RangeError} If a number is out of its range.
 * @throws {TypeError} If the rate has an unknown option, or lacks `perSecond`.
 */
export function limitOptions(
  kind: string,
  { concurrency, rate, priority }: MethodLimits,
  overLimit: OverLimit,
): PlainRecord {
  const action = `Cannot declare an entrypoint of kind "${kind}"`;
  const options: Record<string, Plain> = {};
  if (concurrency !== undefined) {
    requireInteger(action, "concurrency", concurrency, 1);
    options["concurrency"] = concurrency;
  }
  if (rate !== undefined) options["rate"] = numberOptions(action, "rate", rate, RATE);
  if (priority !== undefined) {
    requireInteger(action, "priority", priority, -MOST);
    options["priority"] = priority;
  }
  const isLimited = concurrency !== undefined || rate !== undefined;
  return isLimited && overLimit !== "hold" ? { ...options, overLimit } : options;
}

const MOST = 1_000_000;

function requireInteger(action: string, name: string, value: unknown, least: number): void {
  if (Number.isInteger(value) && value as number >= least && value as number <= MOST) return;
  throw new RangeError(
    `${action}: ${name} must be an integer from ${least} to ${MOST}, got ${String(value)}`,
  );
}
