/** The global `n` of the shell, as Nameko has it: what a user calls and dispatches with. */
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { confirmWithin } from "../../broker.ts";
import type { Connection } from "../../connect.ts";
import type { DispatchOptions } from "../../events/event_message.ts";
import type { CallOptions, ClientMethod } from "../../rpc/client.ts";
import { explainCallFailure } from "../commands/call_failure.ts";
import { CONFIRM_TIMEOUT } from "../commands/messaging.ts";
import type { KnownServices } from "./services.ts";

/** A method of any service. */
type Method = ClientMethod<readonly unknown[], unknown>;

type Dispatch = (source: string, type: string, payload?: unknown, options?: DispatchOptions) => Promise<void>;

/** What the shell offers to its user. */
export interface ShellCluster {
  /** The methods of services: `n.rpc.orders.place(…)`, or `n.rpc["my-orders"].place(…)`. */
  readonly rpc: Readonly<Record<string, Readonly<Record<string, Method>>>>;
  /** Dispatches an event in the name of a service. */
  readonly dispatch_event: Dispatch;
  /** The same function by its JavaScript name. */
  readonly dispatchEvent: Dispatch;
  /** The configuration, with its secrets masked. */
  readonly config: PlainRecord;
  /** The services that run, with the names of their RPC methods. */
  readonly services: Promise<Readonly<Record<string, readonly string[]>>>;
  /** Closes the connection. Calls fail from then on. */
  readonly disconnect: () => Promise<void>;
}

/** Options of {@linkcode createShellCluster}. */
export interface ShellClusterOptions {
  readonly connection: Connection;
  readonly config: PlainRecord;
  readonly known: KnownServices;
  /** Gives the signal that ends the waits which begin now. */
  readonly signal: () => AbortSignal;
  /** Takes notice of each call and each event that is sent, and gives the same result. */
  readonly track: <Value>(sending: Promise<Value>) => Promise<Value>;
}

/** Names of what it has, for the completion. */
export const CLUSTER_NAMES = ["rpc", "dispatch_event", "dispatchEvent", "config", "services", "disconnect"];

/** Makes what a shell calls `n`. */
export function createShellCluster(
  { connection, config, known, signal, track }: ShellClusterOptions,
): ShellCluster {
  const call = async (
    target: { readonly service: string; readonly method: string },
    options: CallOptions,
    begin: (method: Method) => Promise<unknown>,
  ) => {
    const { service, method } = target;
    known.remember(service, [method]);
    const given = options.signal;
    const ends = given === undefined ? signal() : AbortSignal.any([given, signal()]);
    try {
      return await begin(connection.method(service, method).with({ ...options, signal: ends }));
    } catch (error) {
      throw await explainCallFailure(error, connection, target);
    }
  };
  const methodOf = (service: string, method: string, options: CallOptions = {}): Method => {
    const ask = (begin: (method: Method) => Promise<unknown>) =>
      track(call({ service, method }, options, begin));
    return Object.assign((...args: readonly unknown[]) => ask((method) => method(...args)), {
      with: (more: CallOptions) => methodOf(service, method, { ...options, ...more }),
      start: (...args: readonly unknown[]) => {
        const result = ask((method) => method(...args));
        // As with every client, a failed call whose result nobody asks for is not an unhandled rejection.
        result.catch(() => {});
        return { result: () => result };
      },
      kwargs: (named: Readonly<Record<string, unknown>>, ...positional: readonly unknown[]) =>
        ask((method) => method.kwargs(named, ...positional)),
      [INSPECT]: () => `n.rpc.${service}.${method}(…)`,
    });
  };
  const dispatch: Dispatch = (source, type, payload = null, options = {}) => {
    return track(confirmWithin(
      CONFIRM_TIMEOUT * 1_000,
      `dispatch event "${type}" of "${source}"`,
      (limit) => {
        const ends = [limit, signal(), ...options.signal === undefined ? [] : [options.signal]];
        return connection.dispatch(source, type, payload, { ...options, signal: AbortSignal.any(ends) });
      },
    ));
  };
  return Object.freeze({
    rpc: byName(
      "n.rpc.<service>.<method>(…)",
      (service) => byName(`n.rpc.${service}.<method>(…)`, (method) => methodOf(service, method)),
    ),
    dispatch_event: dispatch,
    dispatchEvent: dispatch,
    config,
    get services() {
      return known.ask(signal()).then((services) =>
        Object.fromEntries(services.map(({ service, methods }) => [service, methods]))
      );
    },
    disconnect: () => connection.close(),
    [INSPECT]: () => `n { ${CLUSTER_NAMES.join(", ")} }`,
  });
}

const INSPECT = Symbol.for("Deno.customInspect");

/** Makes an object that has something under every name, and is shown as `shown`. */
function byName<Value>(shown: string, make: (name: string) => Value): Readonly<Record<string, Value>> {
  return new Proxy(Object.freeze({ [INSPECT]: () => shown }) as Record<string, Value>, {
    get(target, name) {
      if (typeof name !== "string") return Reflect.get(target, name);
      // JavaScript takes an object with such a method for a promise.
      return name === "then" ? undefined : make(name);
    },
  });
}
