/** The shortest and the longest of the waits that grow, in milliseconds. */
export interface GrowingDelay {
  /** Wait after the first failure. */
  readonly first: number;
  readonly longest: number;
}

/** Doublings after which a wait grows no further. It keeps the power finite. */
const MOST_DOUBLINGS = 30;

/**
 * Returns how long to wait in milliseconds before what has failed is tried again. The wait doubles with each failure.
 *
 * Between half of the wait and all of it is left to chance, so that many clients of one server do not come back at
 * once.
 *
 * @param failures Number of failures without a success, from 1.
 */
export function growingDelay(failures: number, { first, longest }: GrowingDelay): number {
  const delay = Math.min(longest, first * 2 ** Math.min(failures - 1, MOST_DOUBLINGS));
  return delay * (0.5 + Math.random() / 2);
}
