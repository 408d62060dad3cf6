import type {
  DependencyHalf,
  DependencySetupHost,
  Entrypoint,
  EntrypointHost,
  HostedEntrypoint,
} from "../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import { QueueHost, type QueueSubscription } from "../../runtime/hosting/queue_host.ts";
import type { StreamOffset, Topology } from "../../runtime/message/transport.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { ageOf } from "../../runtime/waiting/age.ts";
import type { UnnamedQueue } from "./queue.ts";
import { QueueNames, withQueueName } from "./queue_names.ts";
import { answerWith, type RequireMessage } from "./reply.ts";

/** Options that `consume()` writes into the manifest. */
interface ConsumeManifest {
  /** Absent if the queue has no name. */
  readonly queue?: string;
  /** Ordinal of a queue without a name. */
  readonly unnamedQueue?: number;
  readonly topology: Topology;
  readonly requeueOnError?: boolean;
  readonly prefetch?: number;
  /** Present if the queue is a stream. A text that is no name is an age. */
  readonly offset?: StreamOffset | string;
  readonly noAck?: boolean;
  readonly reply?: boolean;
}

/** Options of {@linkcode createConsumeHost}. */
export interface ConsumeHostOptions {
  /** The names of the queues without a name. @default {names of its own} */
  readonly names?: QueueNames;
  /** Refuses a reply that the service may not send. @default {the service may send everywhere} */
  readonly requireReply?: RequireMessage | undefined;
}

/** Makes the host that consumes the queues that the methods of a service name. */
export function createConsumeHost(
  entries: readonly HostedEntrypoint[],
  host: EntrypointHost,
  { names = new QueueNames(), requireReply }: ConsumeHostOptions = {},
): Entrypoint {
  const answer = answerWith(host, requireReply);
  return new QueueHost(
    consumedQueues(entries, host.clock).map(
      ({ queue, unnamedQueue: ordinal, reply, topology, ...consumed }) => {
        const name = queue ?? names.nameOf(host.service, { ordinal, topology });
        return {
          ...consumed,
          queue: name,
          topology: queue === undefined ? withQueueName(topology, name) : topology,
          ...(reply && { answer }),
        };
      },
    ),
    host,
  );
}

/** A queue that one entrypoint consumes. */
export interface ConsumedQueue extends Omit<QueueSubscription, "queue" | "answer"> {
  /** Undefined if the queue has no name. */
  readonly queue: string | undefined;
  readonly unnamedQueue: number;
  readonly reply: boolean;
}

/** Returns the queues that the methods of a service consume, with what must be declared for them. */
export function consumedQueues(
  entries: readonly HostedEntrypoint[],
  clock: Clock = SYSTEM_CLOCK,
): readonly ConsumedQueue[] {
  return entries.map((entry) => {
    // The options have the shape that consume() wrote.
    const options = entry.options as unknown as ConsumeManifest;
    const { queue, unnamedQueue = 0, topology, requeueOnError = false, prefetch, offset, noAck, reply } =
      options;
    return {
      entry,
      queue,
      unnamedQueue,
      topology,
      requeueOnError,
      passMessage: true,
      ...(prefetch !== undefined && { prefetch }),
      ...(offset !== undefined && { offset: offsetOf(offset, clock) }),
      ...(noAck && { noAck }),
      reply: reply ?? false,
    };
  });
}

/** Declares the exchanges, queues and bindings of a publisher. */
export async function setUpPublisher(
  dependency: ManifestDependency,
  { transport }: Pick<DependencySetupHost, "transport">,
): Promise<void> {
  await transport.declare(declaredTopology(dependency));
}

/** Returns what a publisher, a requester or the name of a queue declares. The empty name is that of a queue of its own. */
export function declaredTopology({ options }: ManifestDependency): Topology {
  // The options have the shape that publisher(), requester() or queueName() wrote.
  return (options as unknown as { readonly topology: Topology }).topology;
}

/** Declares a queue without a name, and tells its name to the threads. */
export async function setUpQueueName(
  { options }: ManifestDependency,
  { service, transport }: Pick<DependencySetupHost, "service" | "transport">,
  names: QueueNames,
): Promise<DependencyHalf> {
  // The options have the shape that queueName() wrote.
  const unnamed = options as unknown as UnnamedQueue;
  const name = names.nameOf(service, unnamed);
  await transport.declare(withQueueName(unnamed.topology, name));
  return { answer: () => name };
}

/** Turns an age into the time that lies so far back from now. */
function offsetOf(offset: StreamOffset | string, clock: Clock): StreamOffset {
  const age = ageOf(offset);
  return age === undefined ? offset as StreamOffset : { at: clock.now() - age };
}
