import type {
  DependencySetupHost,
  Entrypoint,
  EntrypointHost,
  HostedEntrypoint,
} from "../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import { QueueHost, type QueueSubscription } from "../../runtime/hosting/queue_host.ts";
import type { Topology } from "../../runtime/message/transport.ts";

/** Options that `consume()` writes into the manifest. */
interface ConsumeManifest {
  readonly queue: string;
  readonly topology: Topology;
  readonly requeueOnError?: boolean;
  readonly prefetch?: number;
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
  const { queue, topology, requeueOnError = false, prefetch } = entry.options as unknown as ConsumeManifest;
  return {
    entry,
    queue,
    topology,
    requeueOnError,
    passMessage: true,
    ...(prefetch !== undefined && { prefetch }),
  };
}
