import type {
  DependencySetupHost,
  Entrypoint,
  EntrypointHost,
  HostedEntrypoint,
} from "../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import { QueueHost, type QueueSubscription } from "../../runtime/hosting/queue_host.ts";
import type { StreamOffset, Topology } from "../../runtime/message/transport.ts";
import { ageOf } from "../../runtime/waiting/age.ts";

/** Options that `consume()` writes into the manifest. */
interface ConsumeManifest {
  readonly queue: string;
  readonly topology: Topology;
  readonly requeueOnError?: boolean;
  readonly prefetch?: number;
  /** Present if the queue is a stream. A text that is no name is an age. */
  readonly offset?: StreamOffset | string;
}

/** Makes the host that consumes the queues that the methods of a service name. */
export function createConsumeHost(entries: readonly HostedEntrypoint[], host: EntrypointHost): Entrypoint {
  return new QueueHost(consumedQueues(entries), host);
}

/** Returns the queues that the methods of a service name, with what must be declared for them. */
export function consumedQueues(entries: readonly HostedEntrypoint[]): readonly QueueSubscription[] {
  return entries.map(subscription);
}

/** Declares the exchanges, queues and bindings of a publisher. */
export async function setUpPublisher(
  dependency: ManifestDependency,
  { transport }: DependencySetupHost,
): Promise<void> {
  await transport.declare(publishedTopology(dependency));
}

/** Returns what a publisher declares. */
export function publishedTopology({ options }: ManifestDependency): Topology {
  // The options have the shape that publisher() wrote.
  return (options as unknown as { readonly topology: Topology }).topology;
}

function subscription(entry: HostedEntrypoint): QueueSubscription {
  // The options have the shape that consume() wrote.
  const { queue, topology, requeueOnError = false, prefetch, offset } = entry
    .options as unknown as ConsumeManifest;
  return {
    entry,
    queue,
    topology,
    requeueOnError,
    passMessage: true,
    ...(prefetch !== undefined && { prefetch }),
    ...(offset !== undefined && { offset: offsetOf(offset) }),
  };
}

/** Turns an age into the time that lies so far back from now. */
function offsetOf(offset: StreamOffset | string): StreamOffset {
  const age = ageOf(offset);
  return age === undefined ? offset as StreamOffset : { at: Date.now() - age };
}
