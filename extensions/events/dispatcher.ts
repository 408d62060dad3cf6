import { encodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import { type DispatchOptions, eventMessage } from "./event_message.ts";

/** Options of {@linkcode dispatcher}, for all of its events; those of a single event win. */
export type DispatcherOptions = Omit<DispatchOptions, "signal">;

type PayloadArgs<Payload> = undefined extends Payload ? [payload?: Payload, options?: DispatchOptions]
  : [payload: Payload, options?: DispatchOptions];

/**
 * Dispatches an event of the service; resolves when the broker has confirmed it.
 *
 * Nobody need be there to handle it. The call id stack and the context data of the call in progress go along, its
 * deadline does not: nobody waits for an event to be handled.
 *
 * @throws {UnroutableError} If the event is mandatory and no queue takes it.
 * @throws {BrokerError} If the service's exchange is gone.
 */
export type Dispatcher<Events> = <Type extends keyof Events & string>(
  type: Type,
  ...args: PayloadArgs<Events[Type]>
) => Promise<void>;

/**
 * A dependency that dispatches events of the service itself.
 *
 * @typeParam Events Payloads by event type: `dispatcher<{ placed: Order }>()` injects
 * `emit("placed", order)`. Without it, any type takes any payload.
 */
export function dispatcher<Events extends object = Record<string, unknown>>(
  options: DispatcherOptions = {},
): DependencySpec<Dispatcher<Events>> {
  return dependency({
    kind: "dispatcher",
    bind: ({ service, messenger }) => ({
      get: (call) => async (type: string, payload?: unknown, own: DispatchOptions = {}) => {
        const context = encodeCallHeaders({ stack: call.stack, data: call.headers, deadline: undefined });
        const headers = { ...options.headers, ...own.headers };
        const message = eventMessage(service, type, payload, { ...options, ...own, headers }, context);
        await messenger.publish(message, own.signal && { signal: own.signal });
      },
    }),
  });
}
