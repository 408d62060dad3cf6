import { ConfigurationError } from "../../runtime/message/errors.ts";
import type {
  DependencySetupHost,
  Entrypoint,
  EntrypointHost,
  HostedEntrypoint,
} from "../../runtime/hosting/host.ts";
import type { ManifestDependency } from "../../runtime/service/manifest.ts";
import type { Plain, PlainRecord } from "../../runtime/message/plain.ts";
import { machineName } from "../../runtime/hosting/machine_name.ts";
import { QueueHost, type QueueSubscription } from "../../runtime/hosting/queue_host.ts";
import type { EventSettings } from "./settings.ts";
import { type EventDelivery, eventExchange, eventExchangeOf, eventQueue } from "./topology.ts";

/** Options that `event()` writes into the manifest. */
interface EventManifest {
  readonly source: string;
  readonly type: string;
  readonly delivery: EventDelivery;
  readonly reliable: boolean;
  readonly broadcastId?: Plain;
  readonly requeueOnError?: boolean;
  readonly prefetch?: number;
  readonly once?: PlainRecord;
}

/** Which of several processes with one configuration a process is. */
export interface ProcessNumber {
  /** From 0. */
  readonly index: number;
  /** Whether the process before it with this number still serves. */
  readonly takesOver: boolean;
}

/**
 * Makes the host that consumes the event queues of a service.
 *
 * @param among The place of this process among several that have one configuration. @default {it is alone}
 * @throws {ConfigurationError} If the configuration lacks a key that a broadcast handler names.
 */
export function createEventHost(
  entries: readonly HostedEntrypoint[],
  host: EntrypointHost,
  settings: EventSettings,
  among: ProcessNumber = { index: 0, takesOver: false },
): Entrypoint {
  // The container has one id, so that all of its handlers are the same instance.
  const uuid = crypto.randomUUID().replaceAll("-", "");
  return new QueueHost(entries.map((entry) => subscription(entry, host, settings, uuid, among)), host);
}

/** Returns the exchanges whose messages the event handlers get. */
export function sourcesOf(entries: readonly HostedEntrypoint[]): readonly string[] {
  return entries.map(({ options }) => eventExchangeOf(String(options["source"])));
}

/** Returns the queues of the event handlers of a service, but for those that only one instance has. */
export function handlerQueues(entries: readonly HostedEntrypoint[], service: string): readonly string[] {
  return entries.flatMap(({ method, options }) => {
    // The options have the shape that event() wrote.
    const { source, type, delivery, reliable } = options as unknown as EventManifest;
    if (delivery === "broadcast") return [];
    return [eventQueue({ source, type, delivery, reliable, service, method, broadcastId: "" }).name];
  });
}

/** Declares the exchange of a service that dispatches. */
export async function setUpDispatcher(
  _dependency: ManifestDependency,
  { service, transport }: Pick<DependencySetupHost, "service" | "transport">,
  settings: EventSettings,
): Promise<void> {
  await transport.declare(eventExchange(service, settings));
}

function subscription(
  entry: HostedEntrypoint,
  { service, config }: EntrypointHost,
  settings: EventSettings,
  uuid: string,
  among: ProcessNumber,
): QueueSubscription {
  const { source, type, delivery, reliable, broadcastId = "uuid", requeueOnError = false, prefetch, once } =
    // The options have the shape that event() wrote.
    entry.options as unknown as EventManifest;
  const { method } = entry;
  const instance = delivery === "broadcast"
    ? instanceOf(broadcastIdOf(method, broadcastId, config, uuid), among)
    : "";
  const queue = eventQueue({
    source,
    type,
    delivery,
    reliable,
    service,
    method,
    // The process that this one takes over from still has the queue, if that is exclusive.
    broadcastId: among.takesOver && !reliable ? `${instance}-${uuid}` : instance,
  });
  return {
    entry,
    queue: queue.name,
    topology: {
      ...eventExchange(source, settings),
      queues: [queue],
      bindings: [{ queue: queue.name, exchange: eventExchangeOf(source), routingKey: type }],
    },
    requeueOnError,
    ...(prefetch !== undefined && { prefetch }),
    ...(once !== undefined && { passMessage: true }),
  };
}

/** The processes of a machine have one configuration, so that all but the first have their number in the id. */
function instanceOf(id: string, { index }: ProcessNumber): string {
  return index === 0 ? id : `${id}-${index + 1}`;
}

function broadcastIdOf(method: string, chosen: Plain, config: PlainRecord, uuid: string): string {
  if (chosen === "uuid") return uuid;
  if (chosen === "hostname") return machineName() ?? refuseHostname(method);
  if (typeof chosen === "string") return chosen;
  const { config: key } = chosen as { readonly config: string };
  const value = config[key];
  if ((typeof value === "string" && value !== "") || typeof value === "number") return String(value);
  throw new ConfigurationError(
    `Cannot broadcast to handler "${method}": config key "${key}" must say which instance this is, ` +
      `got ${JSON.stringify(value ?? null)}. Set it to a text that no other instance has`,
  );
}

function refuseHostname(method: string): never {
  throw new ConfigurationError(
    `Cannot broadcast to handler "${method}": the program may not know the name of this machine. Give Deno ` +
      '--allow-sys=hostname, or choose "uuid"',
  );
}
