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
  return new QueueHost(entries.map(subscription), host);
}

/** Declares the exchanges, queues and bindings of a publisher. */
export async function setUpPublisher(
  { options }: ManifestDependency,
  { transport }: DependencySetupHost,
): Promise<void> {
  // The options have the shape that publisher() wrote.
  const { topology } = options as unknown as { readonly topology: Topology };
  await transport.declare(topology);
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
