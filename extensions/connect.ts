import type { Duration } from "../runtime/waiting/duration.ts";
import { encodeCallHeaders } from "../runtime/message/call_headers.ts";
import { requireFields } from "../runtime/message/field_table.ts";
import type { Config } from "../runtime/config/file.ts";
import { ensureLogging, getLog } from "../runtime/log/observe.ts";
import { sendThrough } from "../runtime/service/hook.ts";
import { loadPayloads } from "../runtime/message/payload/payloads.ts";
import { given } from "../runtime/message/plain.ts";
import type { Contract } from "../runtime/service/service.ts";
import type { Clock } from "../runtime/waiting/clock.ts";
import type { FieldTable, Transport } from "../runtime/message/transport.ts";
import { takesSpans } from "../runtime/telemetry/otel/switch.ts";
import { connected, logStatus, openBroker } from "./broker.ts";
import type { DispatchArguments } from "./events/event_source.ts";
import type { CallOptions, Client, ClientMethod } from "./rpc/client.ts";
import type { ExtensionSource } from "./loaded_extensions.ts";
import type { LiveService } from "./control/live.ts";
import { Settings } from "./settings.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /**
   * URI of the broker, or a transport of your own. `connect()` connects the transport, and closes it at the end, or
   * if that fails.
   *
   * @default {the broker that the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
  /** A configuration with Nameko's keys. @default {{}} */
  readonly config?: Config;
  /**
   * Extensions beside those that the configuration names, for their transports. See `run()`.
   *
   * @default {[]}
   */
  readonly extensions?: readonly ExtensionSource[];
  /** Context data that every call carries. @default {{}} */
  readonly headers?: FieldTable;
  /** Milliseconds that a call waits for its answer. @default {the configured `call_timeout`, 30 seconds} */
  readonly timeout?: Duration;
  /**
   * Tells when the time of a call is up, and when messages expire in the broker `memory:`, such as a `testClock()`.
   *
   * @default {the clock of the machine}
   */
  readonly clock?: Clock;
  /** Aborting gives the connecting up. */
  readonly signal?: AbortSignal;
}

/** A program's own connection to the cluster: Nameko's `ClusterRpcProxy`. Disposing it closes it. */
export interface Connection extends AsyncDisposable {
  /** Name of the broker for messages, without secrets. */
  readonly broker: string;
  /** Makes a typed client of a contract, or of a service that the program has: `connection.client(orders)`. */
  client<Target extends Contract>(contract: Target, options?: CallOptions): Client<Target>;
  /** Makes a typed client of a service or of a contract: `connection.client<typeof orders>("orders")`. */
  client<Target = unknown>(
    target: Target extends { readonly name: infer Name extends string } ? Name | Contract<Name>
      : string | Contract,
    options?: CallOptions,
  ): Client<Target>;
  /**
   * Gives a method by its name. This also works for a method called `then`, which a client cannot have: JavaScript
   * takes an object with such a method for a promise.
   */
  method(service: string, method: string): ClientMethod<readonly unknown[], unknown>;
  /**
   * Dispatches an event in the name of a service, and resolves when the broker has confirmed it. With the type of that
   * service, the compiler checks type and payload: `connection.dispatch<typeof orders>("orders", "placed", order)`.
   *
   * This is Nameko's standalone `event_dispatcher`: it declares nothing, and the event carries no other headers than
   * `options.headers`.
   *
   * @throws {BrokerError} If neither the service nor a handler of its events has declared its exchange yet.
   * @throws {UnroutableError} If the event is mandatory and no queue takes it.
   */
  dispatch<Source = unknown>(
    ...[source, type, payload, options]: DispatchArguments<Source>
  ): Promise<void>;
  /**
   * Says whether an instance of a service consumes its calls now. Gives undefined if the broker does not know the
   * service, or if the transport cannot tell.
   *
   * @throws {BrokerError} If the broker cannot be reached.
   */
  isServed(service: string): Promise<boolean | undefined>;
  /**
   * Lists the services that run now, with the methods that can be called, in the order of their names. A process
   * whose configuration has `control: false` is not among them.
   *
   * @throws {BrokerError} If the broker refuses the question, or does not confirm it in time.
   */
  services(options?: { readonly signal?: AbortSignal }): Promise<readonly LiveService[]>;
  /** Closes the connection, and rejects the calls that still wait. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects a program that is not a service, such as a script or a web application.
 *
 * @throws {BrokerError} If the broker cannot be reached.
 * @throws {ExtensionError} If an extension fails.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@enoki/enoki/run";
 *
 * await using cluster = await connect({ broker: "amqp://localhost" });
 * const greeting = cluster.client<typeof greetingService>("greeting_service");
 * console.log(await greeting.hello("Ada"));
 * ```
 */
export async function connect(
  { broker, config = {}, extensions = [], headers = {}, timeout, clock, signal }: ConnectOptions = {},
): Promise<Connection> {
  requireFields(headers);
  ensureLogging();
  const log = getLog();
  const [
    settings,
    { RpcCaller },
    { createClient, createMethod },
    { rpcSettings },
    { eventMessage },
    spans,
  ] = await Promise.all([
    Settings.read(config, { extensions }),
    // A process that only serves loads this module too, and never connects: so the parts load here.
    import("./rpc/caller.ts"),
    import("./rpc/client.ts"),
    import("./rpc/settings.ts"),
    import("./events/event_message.ts"),
    takesSpans() ? import("../runtime/telemetry/otel/handler_spans.ts") : undefined,
  ]);
  const waiting = timeout ?? settings.runtime.callTimeout;
  const payloads = await loadPayloads(settings.runtime.payloads);
  const inform = logStatus(log);
  let closed: Promise<void> | undefined;
  const transport = typeof broker === "object"
    ? await connected(broker, given({ signal }))
    : await openBroker({
      purpose: "caller",
      settings,
      ...given({ broker, clock, signal }),
      // A program that closes the connection need not read that the connection has ended.
      onStatus(status) {
        if (closed === undefined) inform(status);
      },
      onFallback: (message) => log.debug(message),
    });
  const caller = new RpcCaller(transport, {
    caller: CALLER,
    ...settings.of(rpcSettings),
    ...given({ clock }),
  });
  const origin = { stack: [`${CALLER}.call.${crypto.randomUUID()}`], headers, deadline: undefined };
  const spansOf = (source?: string) => spans === undefined ? [] : [spans.outgoingSpans(source)];
  const outgoing = spansOf();
  const close = () =>
    closed ??= (async () => {
      await caller[Symbol.asyncDispose]();
      await transport.close();
    })();
  return {
    broker: transport.broker,
    client:
      ((target: string | Contract, options: CallOptions = {}) =>
        createClient(caller, typeof target === "string" ? target : target.name, origin, {
          timeout: waiting,
          outgoing,
          payloads,
          clock,
          ...options,
        })) as Connection["client"],
    method: (service, method) =>
      createMethod(caller, service, method, origin, { timeout: waiting, outgoing, payloads, clock }),
    async dispatch(source, type, payload, options = {}) {
      const send = async (data: FieldTable) => {
        const message = eventMessage(
          source,
          type,
          payload,
          { serializer: payloads.serializer, ...given(options) },
          encodeCallHeaders({ ...NOTHING, data }),
        );
        await transport.publish(message, options.signal && { signal: options.signal });
      };
      await sendThrough(spansOf(source), { kind: "event", type, payload, headers: {} }, send);
    },
    isServed: async (service) => await caller.isServed(service),
    async services(options) {
      const { liveServices } = await import("./control/live.ts");
      return await liveServices({ transport, ...options });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What the headers of an event have of the call that has sent it: a program is no call. */
const NOTHING = { stack: [], deadline: undefined };

/** Nameko's name for callers outside any service. */
const CALLER = "standalone_rpc_proxy";
