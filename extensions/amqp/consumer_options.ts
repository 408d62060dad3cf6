import type { ConsumeOptions } from "../../runtime/message/transport.ts";

/** Options of a consumer. */
export interface QueueConsumerOptions extends Omit<ConsumeOptions, "longest"> {
  /** Milliseconds that the broker is to wait for a verdict. Absent, the broker decides. */
  readonly patience?: number;
}

/** Largest prefetch that the protocol can express. */
const PREFETCH_LIMIT = 65_535;

/** @throws {RangeError} If `prefetch` is not a positive integer. */
export function checkPrefetch(prefetch: number): number {
  if (Number.isInteger(prefetch) && prefetch >= 1) return Math.min(prefetch, PREFETCH_LIMIT);
  throw new RangeError(`Cannot consume with prefetch ${prefetch}: it must be a positive integer`);
}
