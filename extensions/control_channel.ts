/**
 * What a process that serves tells on the control channel.
 *
 * It tells what runs and how busy it is: names, numbers and manifests. A kind of request more is an entry more in
 * {@linkcode respondersFor}.
 */
import { createHash } from "node:crypto";
import { hostedEntrypoints } from "../runtime/hosting/host.ts";
import { machineName } from "../runtime/hosting/machine_name.ts";
import type { Log } from "../runtime/log/log.ts";
import { maskSecrets, maskTextSecrets } from "../runtime/log/secrets.ts";
import { given, type PlainRecord } from "../runtime/message/plain.ts";
import type { Transport } from "../runtime/message/transport.ts";
import { OWN_PACKAGE } from "../runtime/program/own_package.ts";
import type { Manifest } from "../runtime/service/manifest.ts";
import type { ServiceContainer } from "../runtime/serving/service_container.ts";
import type { CallRates } from "../runtime/telemetry/recent_calls.ts";
import type { Telemetry } from "../runtime/telemetry/telemetry.ts";
import { ControlHost, type ControlResponder } from "./control/host.ts";
import { inspectionResponders } from "./control/inspection.ts";
import { tellLog } from "./control/log_tail.ts";
import { controlSettings } from "./control/settings.ts";
import { tellTrace } from "./control/traced_calls.ts";
import type { Settings } from "./settings.ts";

/** Options of {@linkcode ControlChannel}. */
export interface ControlChannelOptions {
  readonly settings: Settings;
  /** The transport, connected. */
  readonly transport: Transport;
  /** The services that run. */
  readonly containers: ReadonlyMap<string, ServiceContainer>;
  /** What is known of the calls; undefined if the configuration has turned that off. */
  readonly telemetry: Telemetry | undefined;
  readonly log: Log;
}

/** Answers for this process on the control channel, unless the configuration has turned that off. */
export class ControlChannel implements AsyncDisposable {
  readonly #host: ControlHost | undefined;
  readonly #options: ControlChannelOptions;
  #ended = false;

  constructor(options: ControlChannelOptions) {
    this.#options = options;
    const { settings, transport, containers, telemetry, log } = options;
    const { enabled, manage } = settings.of(controlSettings);
    // Nobody outside of this process reaches its memory.
    if (!enabled || transport.broker === "memory:") return;
    this.#host = new ControlHost({
      transport,
      responders: respondersFor(containers, telemetry, manage),
      services: () => containers.keys(),
      manage,
      log,
    });
  }

  /** Begins to answer. If the broker refuses that, a warning says so, and the services go on. Never rejects. */
  async start(): Promise<void> {
    try {
      await this.#host?.start();
    } catch (error) {
      if (this.#ended) return;
      const { message } = error as Error;
      this.#options.log.warning(
        `Cannot answer on the control channel, so that ps does not show this process: ${message}. ` +
          'Let the broker\'s user have exchange "enoki.control" and queues "enoki.control.*", or set control: false',
      );
    }
  }

  /** Ends the answers that are under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#host?.[Symbol.asyncDispose]();
  }
}

/** Makes what answers each kind of request. */
function respondersFor(
  containers: ReadonlyMap<string, ServiceContainer>,
  telemetry: Telemetry | undefined,
  manage: boolean,
): ReadonlyMap<string, ControlResponder> {
  const begun = performance.now();
  const chosen = (services: readonly string[] | undefined) =>
    [...containers.values()].filter(({ manifest: { name } }) => services?.includes(name) ?? true);
  return new Map<string, ControlResponder>([
    ["status", {
      respond: ({ services }) => ({
        host: machineName() ?? "",
        pid: Deno.pid,
        version: OWN_PACKAGE.version,
        uptime: Math.round(performance.now() - begun),
        services: chosen(services).map((container) => statusOf(container, telemetry)),
      }),
    }],
    ["manifests", {
      async respond({ services, details }) {
        const tell = async (container: ServiceContainer) =>
          details === true
            ? await toldManifest(await container.describe(), true)
            : await toldManifest(container.manifest, false);
        return { services: await Promise.all(chosen(services).map(tell)) };
      },
    }],
    ["trace", {
      respond: ({ trace }) => ({
        host: machineName() ?? "",
        pid: Deno.pid,
        ...tellTrace(telemetry?.recent, trace),
      }),
    }],
    ...inspectionResponders((services) =>
      chosen(services).flatMap(({ threads }) => threads).map((thread) => ({
        name: thread.name,
        assigned: thread.assigned,
        heardAt: thread.heardAt,
        take: (what, options) => thread.inspections.take(what, options),
      }))
    ),
    ["tail", { lasting: true, respond: (request, signal) => tellLog(request, { manage, signal }) }],
  ]);
}

function statusOf(
  { manifest, state, failure, pool, place, processUsage, settings: { maxWorkers } }: ServiceContainer,
  telemetry: Telemetry | undefined,
): PlainRecord {
  const { busy, ready, starting, active, queued } = pool;
  return {
    name: manifest.name,
    state,
    ...(failure && { failure: maskTextSecrets(failure.message) }),
    manifest: fingerprintOf(manifest),
    ...place,
    ...(processUsage && { ownMemory: processUsage.resident }),
    threads: { busy, ready, starting, max: maxWorkers },
    inFlight: active,
    waiting: queued,
    ...(telemetry && { rates: ratesOf(telemetry.recent.rates(manifest.name)) }),
  };
}

function ratesOf({ calls, errors, p50, p99 }: CallRates): PlainRecord {
  return { calls, errors, p50: p50 ?? null, p99: p99 ?? null };
}

const fingerprints = new WeakMap<Manifest, string>();

/**
 * Returns a short text that differs if the manifest differs. Details do not count: only the processes that offer
 * documents have them.
 */
function fingerprintOf(manifest: Manifest): string {
  let fingerprint = fingerprints.get(manifest);
  if (fingerprint === undefined) {
    const { entrypoints, dependencies } = manifest;
    const text = JSON.stringify([
      entrypoints.map(({ method, kind, options }) => [method, kind, options]),
      dependencies.map(({ key, kind, options }) => [key, kind, options]),
    ]);
    fingerprint = createHash("sha256").update(text).digest("hex").slice(0, 16);
    fingerprints.set(manifest, fingerprint);
  }
  return fingerprint;
}

/** Tells a manifest: in detail all that documents and contracts are made of, else what a list of services shows. */
async function toldManifest(manifest: Manifest, isDetailed: boolean): Promise<PlainRecord> {
  const { name, entrypoints, dependencies } = manifest;
  return {
    name,
    entrypoints: entrypoints.map(({ method, kind, options, details }) => {
      const { topology: _topology, ...listed } = options;
      return {
        method,
        kind,
        options: maskSecrets(isDetailed ? options : listed) as PlainRecord,
        ...(isDetailed && given({ details })),
      };
    }),
    dependencies: dependencies.map(({ key, kind = null, options, details }) => ({
      key,
      kind,
      ...(isDetailed && { options: maskSecrets(options) as PlainRecord, ...given({ details }) }),
    })),
    queues: await queuesOf(manifest),
  };
}

/** Lists the queues that a service consumes, but for those that only one instance has. */
async function queuesOf(manifest: Manifest): Promise<readonly string[]> {
  const kinds = Map.groupBy(hostedEntrypoints(manifest), ({ kind }) => kind);
  const queues: string[] = [];
  if (kinds.has("rpc")) {
    const { rpcTopology } = await import("./rpc/topology.ts");
    queues.push(rpcTopology("").queueOf(manifest.name));
  }
  if (kinds.has("event")) {
    const { handlerQueues } = await import("./events/host.ts");
    queues.push(...handlerQueues(kinds.get("event")!, manifest.name));
  }
  if (kinds.has("consume")) {
    const { consumedQueues } = await import("./messaging/host.ts");
    queues.push(...consumedQueues(kinds.get("consume")!).flatMap(({ queue }) => queue ?? []));
  }
  return [...new Set(queues)];
}
