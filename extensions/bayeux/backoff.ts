import type { BayeuxSettings } from "./settings.ts";

/** Doublings after which a wait grows no further. It keeps the power finite. */
const MOST_DOUBLINGS = 30;

/**
 * Returns how long to wait before the next attempt, in milliseconds.
 *
 * Between half of the wait and all of it is left to chance, so that many clients do not come back at once.
 *
 * @param failures Number of failures without a success, from 1.
 */
export function waitAfter(
  failures: number,
  { retryInterval, maxRetryInterval }: Pick<BayeuxSettings, "retryInterval" | "maxRetryInterval">,
): number {
  const wait = Math.min(maxRetryInterval, retryInterval * 2 ** Math.min(failures - 1, MOST_DOUBLINGS));
  return wait * (0.5 + Math.random() / 2);
}
