/**
 * This folder holds time limits, timers, rates and cancellation. This file waits, and ends waits.
 */

import { type Clock, LONGEST_TIMER, SYSTEM_CLOCK } from "./clock.ts";

export { LONGEST_TIMER };

/** A signal with a time limit. Disposing it removes the limit. */
export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Makes a signal that aborts after `limit` milliseconds, or when `parent` aborts.
 *
 * Once disposed, the limit leaves nothing behind, unlike `AbortSignal.timeout`: no timer, and no listener on
 * the parent.
 */
export function timeLimit(limit: number, parent?: AbortSignal, clock: Clock = SYSTEM_CLOCK): TimeLimit {
  const controller = new AbortController();
  const timer = clock.setTimer(
    () => controller.abort(new DOMException(`The time limit of ${limit} ms has passed`, "TimeoutError")),
    Math.min(limit, LONGEST_TIMER),
  );
  const follow = () => controller.abort(parent!.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clock.clearTimer(timer);
      parent?.removeEventListener("abort", follow);
    },
  };
}

/**
 * Waits, or rejects with the signal's reason once the signal aborts.
 *
 * @param duration Milliseconds to wait.
 */
export async function pause(
  duration: number,
  signal?: AbortSignal,
  clock: Clock = SYSTEM_CLOCK,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = clock.setTimer(resolve, Math.min(duration, LONGEST_TIMER));
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await promise;
  } finally {
    clock.clearTimer(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Waits for `promise`, or rejects with the reason of `signal` if the signal aborts first. */
export async function abortable<Value>(promise: Promise<Value>, signal?: AbortSignal): Promise<Value> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Waits for `promise`, but not longer than `limit` milliseconds.
 *
 * @returns Whether `promise` was fulfilled in time. If it rejects in time, this function rejects, too.
 */
export async function within(limit: number, promise: Promise<unknown>): Promise<boolean> {
  const { promise: over, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), Math.min(limit, LONGEST_TIMER));
  try {
    return await Promise.race([promise.then(() => true), over]);
  } finally {
    clearTimeout(timer);
  }
}
