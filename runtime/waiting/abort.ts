/** Milliseconds; a timer that is set to more fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** A signal with a time limit that can be let go of. */
export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A signal that aborts after `limit` milliseconds, or when `parent` aborts.
 *
 * Unlike `AbortSignal.timeout` it leaves nothing behind once disposed: no timer, and no listener on the parent.
 */
export function timeLimit(limit: number, parent?: AbortSignal): TimeLimit {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException(`The time limit of ${limit} ms has passed`, "TimeoutError")),
    Math.min(limit, LONGEST_TIMER),
  );
  const follow = () => controller.abort(parent!.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", follow);
    },
  };
}

/**
 * Waits, or rejects with the signal's reason once it aborts.
 *
 * @param duration Milliseconds.
 */
export async function pause(duration: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(duration, LONGEST_TIMER));
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Waits for `promise`, or rejects with the reason of `signal` if that comes first. */
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
 * @returns Whether it was fulfilled in time; where it is rejected in time, so is this.
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
