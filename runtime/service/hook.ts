/**
 * Functions that run around every call of a service, and around everything that its handlers send.
 *
 * A hook refuses by throwing, replaces a result by returning another one, and adds by what it gives to `next`.
 */
import { requireFields } from "../message/field_table.ts";
import type { Call } from "./call.ts";
import type { FieldTable } from "../message/transport.ts";

/** A call as a hook sees it. */
export interface HookedCall extends Call {
  /** The context that the handler will get: the dependencies by name, and what earlier hooks have added. */
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * The parameters of `next`: what a hook must add to the context, or nothing if it adds nothing.
 *
 * @internal
 */
// deno-lint-ignore ban-types -- the type of a hook that adds nothing
type NextParameters<Added> = {} extends Added ? [added?: Added] : [added: Added];

/**
 * Runs around the handler of each call, inside of the dependencies.
 *
 * `next` runs the hooks behind this one and then the handler, and gives what the handler returns. A hook that does not
 * call `next` replaces the handler.
 *
 * @typeParam Added What the hook adds to the context, which it gives to `next`.
 *
 * @example
 * ```ts ignore
 * import type { Hook } from "@enoki/enoki";
 *
 * const authenticate: Hook<{ user: User }> = async (call, next) => await next({ user: await verify(call.headers) });
 * ```
 */
// deno-lint-ignore ban-types -- a hook that adds nothing
export type Hook<Added = {}> = (
  call: HookedCall,
  next: (...added: NextParameters<Added>) => Promise<unknown>,
) => unknown;

/** A hook, whatever it adds. */
// deno-lint-ignore no-explicit-any -- each hook says what its next takes
export type AnyHook = (call: HookedCall, next: (...added: any[]) => Promise<unknown>) => unknown;

type AddedByOne<Each> = Each extends (call: never, next: (...added: infer Added) => never) => unknown
  // A hook of unknown type adds any, which would hide the types of the whole context.
  ? 0 extends 1 & Added[0] ? unknown : NonNullable<Added[0]>
  : never;

type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends
  (all: infer All) => void ? All : never;

/**
 * What some hooks add to the context of a handler.
 *
 * @internal
 */
export type AddedBy<Hooks extends readonly AnyHook[]> = Intersection<AddedByOne<Hooks[number]>>;

/** What a handler sends: a call of another service, an event or a message. */
export type Outgoing =
  | {
    readonly kind: "rpc";
    readonly service: string;
    readonly method: string;
    readonly args: readonly unknown[];
    readonly kwargs: Readonly<Record<string, unknown>>;
    /** Context data that goes along. */
    readonly headers: FieldTable;
  }
  | {
    readonly kind: "event";
    readonly type: string;
    readonly payload: unknown;
    /** Context data that goes along. */
    readonly headers: FieldTable;
  }
  | {
    readonly kind: "message";
    readonly exchange: string;
    readonly routingKey: string;
    readonly payload: unknown;
    /** Context data that goes along. */
    readonly headers: FieldTable;
  };

/**
 * Runs around each call, event and message that a handler sends.
 *
 * `next` sends it, with more context data if it gets any, and gives the result: of a call, what the other service
 * returned.
 */
export type OutgoingHook = (
  outgoing: Outgoing,
  next: (headers?: FieldTable) => Promise<unknown>,
) => unknown;

/**
 * Sends through the hooks of a service, in their order.
 *
 * @param send Sends with this context data.
 */
export async function sendThrough(
  hooks: readonly OutgoingHook[],
  outgoing: Outgoing,
  send: (headers: FieldTable) => Promise<unknown>,
): Promise<unknown> {
  const [hook, ...others] = hooks;
  if (hook === undefined) return await send(outgoing.headers);
  return await hook(outgoing, (more) => {
    if (more === undefined) return sendThrough(others, outgoing, send);
    requireFields(more);
    return sendThrough(others, { ...outgoing, headers: { ...outgoing.headers, ...more } }, send);
  });
}
