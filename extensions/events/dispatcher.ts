import { encodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import type { OutboxOptions } from "../../runtime/service/effects/diversion.ts";
import { DEFAULT_PAYLOADS } from "../../runtime/message/payload/payloads.ts";
import { given, type PlainRecord } from "../../runtime/message/plain.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { issuesText, type StandardSchema } from "../../runtime/service/standard_schema.ts";
import { sendThrough } from "../../runtime/service/hook.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { type DispatchOptions, eventMessage } from "./event_message.ts";

/** Options of {@linkcode dispatcher} for all of its events. The options of a single event win over them. */
export interface DispatcherOptions extends Omit<EmitOptions, "signal" | "key"> {
  /**
   * Schemas of the payloads by event type. What is dispatched has to pass them; documents and generated contracts have
   * them, too. Types without a schema are not checked.
   *
   * @default {{}}
   */
  readonly events?: Readonly<Record<string, StandardSchema>>;
}

const OPTIONS: OptionNames<DispatcherOptions> = {
  mandatory: true,
  expiration: true,
  priority: true,
  deliveryMode: true,
  headers: true,
  serializer: true,
  compression: true,
  outbox: true,
  events: true,
};

/** Options of one event of a handler. */
export interface EmitOptions extends DispatchOptions, OutboxOptions {}

/** @internal */
type PayloadArgs<Payload> = undefined extends Payload ? [payload?: Payload, options?: EmitOptions]
  : [payload: Payload, options?: EmitOptions];

/**
 * Dispatches an event of the service; resolves when the broker has confirmed it, or when it is in the outbox of a
 * dependency that keeps one.
 *
 * No handler needs to exist. The event carries the call id stack and the context data of the call in
 * progress. It does not carry the deadline of that call, because nobody waits until an event is handled.
 *
 * @throws {UnroutableError} If the event is mandatory and no queue takes it.
 * @throws {BrokerError} If the exchange of the service is gone.
 */
export interface Dispatcher<Events> {
  <Type extends keyof Events & string>(type: Type, ...args: PayloadArgs<Events[Type]>): Promise<void>;
}

/**
 * Declares a dependency that dispatches events of the service itself.
 *
 * @typeParam Events Payloads by event type: `dispatcher<{ placed: Order }>()` injects
 * `emit("placed", order)`. Without this parameter, any event type takes any payload.
 * @throws {TypeError} If an option is not known.
 *
 * @example
 * ```ts ignore
 * import { dispatcher, rpc, service } from "@enoki/enoki";
 *
 * export default service("orders", {
 *   dependencies: { emit: dispatcher<{ placed: Order }>() },
 *   entrypoints: { place: rpc() },
 *   handlers: { place: ({ emit }, order: Order) => emit("placed", order) },
 * });
 * ```
 */
export function dispatcher<Events extends object = Record<string, unknown>>(
  options?: DispatcherOptions,
): DependencySpec<Dispatcher<Events>>;
/**
 * Declares a dependency that dispatches events of the service itself, with schemas of their payloads.
 *
 * @throws {TypeError} If an option is not known. An event whose payload does not pass its schema is not dispatched: the
 *   handler gets a `TypeError`.
 */
export function dispatcher<Schemas extends Readonly<Record<string, StandardSchema>>>(
  options: DispatcherOptions & { readonly events: Schemas },
): DependencySpec<
  Dispatcher<
    {
      readonly [Type in keyof Schemas]: Schemas[Type] extends StandardSchema<infer Input, infer _Output>
        ? Input
        : never;
    }
  >
>;
export function dispatcher(
  { events, ...options }: DispatcherOptions = {},
): DependencySpec<Dispatcher<Record<string, unknown>>> {
  requireKnown("Cannot make a dispatcher", "it", options, OPTIONS);
  return dependency({
    kind: "dispatcher",
    ...(events && { describe: () => eventDetails(events) }),
    bind: ({ service, publish, payloads: { serializer } = DEFAULT_PAYLOADS, outgoing = [] }) => ({
      get: (call) => async (type: string, dispatched?: unknown, own: EmitOptions = {}) => {
        const payload = events === undefined
          ? dispatched
          : await checkedPayload(events, service, type, dispatched);
        const send = async (data: FieldTable) => {
          const context = encodeCallHeaders({ stack: call.stack, data, deadline: undefined });
          const headers = { ...options.headers, ...own.headers };
          const all = { serializer, ...given(options), ...given(own), headers };
          const message = eventMessage(service, type, payload, all, context);
          await publish(call, message, { outbox: options.outbox, ...own });
        };
        if (outgoing.length === 0) await send(call.headers);
        else await sendThrough(outgoing, { kind: "event", type, payload, headers: call.headers }, send);
      },
    }),
  });
}

async function eventDetails(events: Readonly<Record<string, StandardSchema>>): Promise<PlainRecord> {
  // Every thread loads this module, and few describe themselves: so the rest loads where one does.
  const { toJsonSchema } = await import("../../runtime/service/described/json_schema.ts");
  const described = Object.entries(events).map(([type, schema]) => [type, toJsonSchema(schema, "output")]);
  return { events: Object.fromEntries(described) };
}

async function checkedPayload(
  events: Readonly<Record<string, StandardSchema>>,
  service: string,
  type: string,
  payload: unknown,
): Promise<unknown> {
  if (!Object.hasOwn(events, type)) return payload;
  const result = await events[type]!["~standard"].validate(payload);
  if (result.issues === undefined) return result.value;
  throw new TypeError(
    `Cannot dispatch event "${type}" of "${service}": its payload is not valid: ${issuesText(result.issues)}`,
  );
}
