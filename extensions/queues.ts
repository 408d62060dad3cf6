/**
 * The queues of a broker, as far as they are known.
 *
 * A broker does not list its queues over AMQP. So the names come from the services that run, and from RabbitMQ's
 * management plugin where it answers.
 */
import { deadLetterQueueOf } from "../runtime/hosting/message_fate.ts";
import { BrokerError } from "../runtime/message/errors.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type { ManagedQueue } from "./amqp/management.ts";
import type { ControlConnection } from "./control_connection.ts";
import { liveVersions } from "./control/live.ts";

/** A queue with what its broker counts, as far as the broker tells. */
export interface QueueState {
  readonly name: string;
  /** Messages that wait for a consumer. */
  readonly messages: number | undefined;
  /** Messages that consumers hold. */
  readonly unacked: number | undefined;
  readonly consumers: number | undefined;
  /** Names of the services that run and consume it. */
  readonly services: readonly string[];
}

/** What is known of the queues of a broker. */
export interface QueueSurvey {
  /** The queues in the order of their names, without those of the control channel and for replies. */
  readonly queues: readonly QueueState[];
  /** Whether the broker has listed its queues. If not, the queues are those of services that run. */
  readonly isComplete: boolean;
}

/** Beginnings of the names of queues that only one connection uses. */
const OTHERS = ["enoki.control.", "rpc.reply-"];

/**
 * Looks at the queues of a broker.
 *
 * @throws {BrokerError} If the management plugin does not answer that the configuration names.
 */
export async function surveyQueues(control: ControlConnection): Promise<QueueSurvey> {
  const { client, transport } = control;
  const [versions, managed] = await Promise.all([liveVersions(client), managedQueues(control)]);
  const services = new Map<string, Set<string>>();
  for (const { manifest: { name, queues } } of versions) {
    for (const queue of queues) services.set(queue, (services.get(queue) ?? new Set()).add(name));
  }
  const queues = managed?.map((queue) => ({ ...queue, services: [...services.get(queue.name) ?? []] })) ??
    await countedQueues(transport, services);
  return {
    queues: queues
      .filter(({ name }) => !OTHERS.some((prefix) => name.startsWith(prefix)))
      .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    isComplete: managed !== undefined,
  };
}

/** A queue that has dead messages. */
export interface DeadQueue {
  readonly queue: string;
  /** Number of its dead messages. */
  readonly messages: number;
}

/**
 * Lists the queues that have dead messages, in the order of their names. If the name of a queue is too long for that
 * of its dead-letter queue, it ends in a hash.
 *
 * @throws {BrokerError} If the management plugin does not answer that the configuration names.
 */
export async function surveyDeadLetters(
  control: ControlConnection,
): Promise<{ readonly queues: readonly DeadQueue[]; readonly isComplete: boolean }> {
  const { queues, isComplete } = await surveyQueues(control);
  const prefix = deadLetterQueueOf("");
  return {
    queues: queues.flatMap(({ name, messages = 0, unacked = 0 }) =>
      name.startsWith(prefix) && messages + unacked > 0
        ? [{ queue: name.slice(prefix.length), messages: messages + unacked }]
        : []
    ),
    isComplete,
  };
}

/**
 * Lists the queues that the management plugin knows; undefined if there is none at its usual port.
 *
 * @throws {BrokerError} If the management plugin does not answer that the configuration names.
 */
export async function managedQueues(
  { settings, uri }: Pick<ControlConnection, "settings" | "uri">,
): Promise<readonly ManagedQueue[] | undefined> {
  if (uri === undefined || !/^(?:py)?amqps?:/.test(uri)) return undefined;
  const [{ listQueues }, { amqpSettings }] = await Promise.all([
    import("./amqp/management.ts"),
    import("./amqp/settings.ts"),
  ]);
  const { management } = settings.of(amqpSettings);
  return await listQueues(uri, management === undefined ? {} : { management });
}

/** Counts what is in the queues of services that run, and in their dead-letter queues. */
async function countedQueues(
  transport: Transport,
  services: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<readonly QueueState[]> {
  const states: QueueState[] = [];
  for (const [name, consuming] of services) {
    states.push({ ...await countsOf(transport, name), services: [...consuming] });
    const dead = await countsOf(transport, deadLetterQueueOf(name));
    if (dead.messages !== undefined) states.push({ ...dead, services: [] });
  }
  return states;
}

async function countsOf(transport: Transport, name: string): Promise<Omit<QueueState, "services">> {
  try {
    const messages = await transport.countMessages(name);
    const consumers = messages === undefined ? undefined : await transport.countConsumers?.(name);
    return { name, messages, unacked: undefined, consumers };
  } catch (error) {
    // A queue can be another connection's own.
    if (!(error instanceof BrokerError)) throw error;
    return { name, messages: undefined, unacked: undefined, consumers: undefined };
  }
}
