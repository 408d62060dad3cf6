import type { PooledThread } from "./pooled_thread.ts";

/** Longest time between two looks at threads that run something, in milliseconds. */
const LOOK_INTERVAL = 1_000;

/** Milliseconds of silence after which the pool asks a busy thread for a sign of life. */
const SILENCE = 5_000;

/** Time between two looks: short enough to ask for a sign of life, and to get it, before silence counts. */
export function lookInterval(stallTimeout: number): number {
  return Math.min(LOOK_INTERVAL, stallTimeout / 4);
}

/** Asks a silent thread for a sign of life, and ends the thread if it has given none for `stallTimeout`. */
export function checkPulse(thread: PooledThread, now: number, stallTimeout: number): void {
  const silence = now - thread.heardAt;
  if (silence > stallTimeout) thread.kill(`it gave no sign of life for ${Math.round(silence)} ms`);
  else if (silence > Math.min(SILENCE, stallTimeout / 2)) thread.ping();
}
