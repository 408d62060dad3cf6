import type { Dispatcher } from "../events/dispatcher.ts";

/** An event that a handler has dispatched. */
export type DispatchedEvent<Events> = {
  readonly [Type in keyof Events & string]: { readonly type: Type; readonly payload: Events[Type] };
}[keyof Events & string];

/** A dispatcher that keeps the events in place of sending them. */
export type FakeDispatcher<Events> = Dispatcher<Events> & {
  /** The events, in the order in which they were dispatched. */
  readonly events: readonly DispatchedEvent<Events>[];
};

/**
 * Makes a dispatcher for a test, which records the events.
 *
 * @typeParam Events Payloads by event type, as for `dispatcher()`.
 *
 * @example
 * ```ts ignore
 * import { fakeDispatcher, testContext } from "@enoki/enoki/testing";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const emit = fakeDispatcher<{ placed: Order }>();
 * await orders.handlers.place(testContext(orders, { emit }), order);
 * deepStrictEqual(emit.events, [{ type: "placed", payload: order }]);
 * ```
 */
export function fakeDispatcher<Events extends object = Record<string, unknown>>(): FakeDispatcher<Events> {
  const events: DispatchedEvent<Events>[] = [];
  const dispatch: Dispatcher<Events> = (type, ...[payload]) => {
    events.push({ type, payload } as DispatchedEvent<Events>);
    return Promise.resolve();
  };
  return Object.assign(dispatch, { events });
}
