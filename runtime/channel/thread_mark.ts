/**
 * Tells code whether it runs in a thread of a service.
 *
 * The mark is a registered symbol, because a service may carry its own copy of this library.
 */
const MARK = Symbol.for("enoki.service_thread");

/** Marks this thread as one of a service. */
export function markServiceThread(): void {
  Object.defineProperty(globalThis, MARK, { value: true });
}

/** Returns whether this code runs in a thread of a service. Inline threads are none. */
export function isServiceThread(): boolean {
  return Object.hasOwn(globalThis, MARK);
}
