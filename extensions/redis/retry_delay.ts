/** Milliseconds before the second attempt to connect; they double with each further one. */
const FIRST = 50;

/** The most milliseconds between two attempts. */
const LONGEST = 2_000;

/** Gives the pause before the next attempt, with some chance in it, so that the threads of a process do not come at once. */
export function retryDelay(tries: number): number {
  const delay = Math.min(FIRST * 2 ** Math.min(tries, 10), LONGEST);
  return delay * (0.75 + Math.random() / 2);
}
