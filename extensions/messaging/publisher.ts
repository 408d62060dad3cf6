import { encodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import { DEFAULT_PAYLOADS } from "../../runtime/message/payload/payloads.ts";
import { given, type PlainRecord } from "../../runtime/message/plain.ts";
import type { OutboxOptions } from "../../runtime/service/effects/diversion.ts";
import { sendThrough } from "../../runtime/service/hook.ts";
import type { FieldTable, Topology } from "../../runtime/message/transport.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import type { Exchange } from "./exchange.ts";
import { outgoingMessage, type PublishOptions } from "./outgoing_message.ts";
import { declarable, type Queue } from "./queue.ts";

/** Options of {@linkcode publisher} for all messages. The options of a single message win over them. */
export interface PublisherOptions extends Omit<PublishOptions, "signal">, Omit<OutboxOptions, "key"> {
  /** More exchanges and queues to declare before anything is published. @default {[]} */
  readonly declare?: readonly (Exchange | Queue)[];
}

const OPTIONS: OptionNames<PublisherOptions> = {
  exchange: true,
  routingKey: true,
  mandatory: true,
  expiration: true,
  serializer: true,
  compression: true,
  headers: true,
  deliveryMode: true,
  priority: true,
  correlationId: true,
  replyTo: true,
  messageId: true,
  timestamp: true,
  type: true,
  userId: true,
  appId: true,
  outbox: true,
  declare: true,
};

/**
 * Publishes a message; resolves when the broker has confirmed it, or when it is in the outbox of a dependency that
 * keeps one.
 *
 * The message carries the call id stack and the context data of the call in progress, but not its deadline.
 *
 * @throws {UnroutableError} If the message is mandatory and no queue takes it.
 * @throws {BrokerError} If the exchange does not exist.
 * @throws {RangeError} If `expiration` or `priority` is out of its range.
 */
export type Publish<Payload> = (
  payload: Payload,
  options?: PublishOptions & OutboxOptions,
) => Promise<void>;

/**
 * Declares a dependency that publishes messages, as Nameko's `Publisher` does.
 *
 * The main thread declares its exchange when the service starts. Without an exchange, messages go through the
 * default exchange to the queue that `routingKey` names.
 *
 * @example
 * ```ts ignore
 * import { publisher, queue, rpc, service } from "@enoki/enoki";
 *
 * const tasks = queue("tasks");
 * export default service("shop", {
 *   dependencies: { enqueue: publisher<Task>({ routingKey: tasks.name, declare: [tasks] }) },
 *   entrypoints: { order: rpc() },
 *   handlers: { order: ({ enqueue }, task: Task) => enqueue(task, { priority: 5 }) },
 * });
 * ```
 *
 * @throws {TypeError} If an option is not known.
 */
export function publisher<Payload = unknown>(
  { declare = [], outbox: always, ...defaults }: PublisherOptions = {},
): DependencySpec<Publish<Payload>> {
  requireKnown("Cannot make a publisher", "it", defaults, OPTIONS);
  return dependency({
    kind: "publisher",
    options: { topology: topologyOf(defaults.exchange, declare) } as unknown as PlainRecord,
    bind: ({ publish, payloads: { serializer } = DEFAULT_PAYLOADS, outgoing = [] }) => ({
      get: (call) => async (payload, { signal, key, outbox = always, ...own } = {}) => {
        const sending = { key, outbox, ...(signal && { signal }) };
        const messageFor = (data: FieldTable) => {
          const context = encodeCallHeaders({ stack: call.stack, data, deadline: undefined });
          const headers = { ...defaults.headers, ...own.headers };
          return outgoingMessage(
            payload,
            { serializer, ...given(defaults), ...given(own), headers },
            context,
          );
        };
        const message = messageFor(call.headers);
        if (outgoing.length === 0) return await publish(call, message, sending);
        const { exchange, routingKey } = message;
        const sent = { kind: "message", exchange, routingKey, payload, headers: call.headers } as const;
        await sendThrough(outgoing, sent, (data) => publish(call, messageFor(data), sending));
      },
    }),
  });
}

/** Returns what is declared for somebody who sends to an exchange. */
export function topologyOf(
  exchange: Exchange | string | undefined,
  declare: readonly (Exchange | Queue)[],
): Topology {
  const all = declare.map((each) => "topology" in each ? each.topology : { exchanges: [each] });
  if (typeof exchange === "object") all.push({ exchanges: [exchange] });
  return {
    exchanges: declarable(all.flatMap(({ exchanges = [] }) => exchanges)),
    queues: all.flatMap(({ queues = [] }) => queues),
    bindings: all.flatMap(({ bindings = [] }) => bindings),
  };
}
