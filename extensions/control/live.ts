/** What the processes that serve tell about themselves, for commands and programs. */
import type { Transport } from "../../runtime/message/transport.ts";
import { type ControlAskOptions, ControlClient } from "./control_client.ts";
import { type InstanceStatus, type LiveManifest, readManifests, readStatus } from "./status.ts";

/** A service that runs. */
export interface LiveService {
  /** Name of the service. */
  readonly service: string;
  /** Names of the methods that can be called, in the order of definition. */
  readonly methods: readonly string[];
  /** Number of the processes that serve it. */
  readonly instances: number;
}

/** A version of a service that runs. */
export interface LiveVersion {
  /** What the instances of this version offer and depend on. */
  readonly manifest: LiveManifest;
  /** The processes that serve it. */
  readonly instances: readonly InstanceStatus[];
}

/** Options of the questions to services that run. */
export interface LiveOptions extends ControlAskOptions {
  /** Names of the services that count. @default {all} */
  readonly services?: readonly string[];
}

/** Lists the processes that serve, in the order of host and process. */
export async function liveInstances(
  client: ControlClient,
  { services, ...options }: LiveOptions = {},
): Promise<readonly InstanceStatus[]> {
  const found: InstanceStatus[] = [];
  const request = { ask: "status", ...(services && { services }) };
  for await (const answer of client.ask(request, options)) {
    const status = readStatus(answer);
    if (status !== undefined) found.push(status);
  }
  return found.sort((a, b) => compare(a.host, b.host) || a.pid - b.pid || compare(a.id, b.id));
}

/**
 * Lists the services that run, in the order of their names, each version of a service for itself.
 *
 * It asks all processes what they run, and one of each version what that is.
 */
export async function liveVersions(
  client: ControlClient,
  options: LiveOptions = {},
): Promise<readonly LiveVersion[]> {
  const { services: chosen, ...asking } = options;
  const versions = new Map<string, { name: string; manifest?: LiveManifest; instances: InstanceStatus[] }>();
  const keyOf = new Map<string, string>();
  for (const instance of await liveInstances(client, options)) {
    for (const { name, manifest } of instance.services) {
      const key = JSON.stringify([name, manifest]);
      keyOf.set(JSON.stringify([instance.id, name]), key);
      const version = versions.get(key) ?? { name, instances: [] };
      version.instances.push(instance);
      versions.set(key, version);
    }
  }
  const asked = [...new Set([...versions.values()].map(({ instances }) => instances[0]!.id))];
  for (let from = 0; from < asked.length; from += MOST_ASKED) {
    const request = {
      ask: "manifests",
      instances: asked.slice(from, from + MOST_ASKED),
      ...(chosen && { services: chosen }),
    };
    for await (const answer of client.ask(request, asking)) {
      for (const manifest of readManifests(answer)) {
        const version = versions.get(keyOf.get(JSON.stringify([answer.instance, manifest.name])) ?? "");
        if (version !== undefined) version.manifest ??= manifest;
      }
    }
  }
  return [...versions.values()]
    .sort((a, b) => compare(a.name, b.name) || b.instances.length - a.instances.length)
    .flatMap(({ manifest, instances }) => manifest === undefined ? [] : [{ manifest, instances }]);
}

/** Thrown if no process describes a service. */
export class DescriptionError extends Error {
  /** Tells this error from others. */
  override readonly name = "DescriptionError";
}

/**
 * Asks for what a version of a service is in detail, with what its entrypoints say of themselves. One process after
 * the other is asked, until one answers.
 *
 * @throws {DescriptionError} If no process describes the service.
 */
export async function describedVersion(
  client: ControlClient,
  { manifest: { name }, instances }: LiveVersion,
  options: ControlAskOptions = {},
): Promise<LiveManifest> {
  let reason = "no process that serves it has answered in time";
  for (const { id } of instances) {
    const request = { ask: "manifests", instances: [id], services: [name], details: true };
    for await (const answer of client.ask(request, { timeout: DESCRIBING_LIMIT, ...options })) {
      const manifest = readManifests(answer).find((each) => each.name === name);
      if (manifest !== undefined) return manifest;
      reason = answer.error ?? reason;
    }
  }
  throw new DescriptionError(`Cannot describe "${name}": ${reason}`);
}

/** Milliseconds that a process may take to describe a service: its threads may be busy. */
const DESCRIBING_LIMIT = 6_000;

/** Instances that one request names. */
const MOST_ASKED = 1_000;

/**
 * Lists the services that run now, in the order of their names.
 *
 * @param options.transport The transport, connected.
 * @throws {BrokerError} If the broker refuses the question, or does not confirm it in time.
 */
export async function liveServices(
  { transport, ...options }: LiveOptions & { readonly transport: Transport },
): Promise<readonly LiveService[]> {
  await using client = new ControlClient(transport);
  const versions = Map.groupBy(await liveVersions(client, options), ({ manifest }) => manifest.name);
  return [...versions].map(([service, known]) => ({
    service,
    methods: [...new Set(known.flatMap(({ manifest }) => methodsOf(manifest)))],
    instances: new Set(known.flatMap(({ instances }) => instances.map(({ id }) => id))).size,
  }));
}

function methodsOf({ entrypoints }: LiveManifest): readonly string[] {
  return entrypoints.filter(({ kind }) => kind === "rpc").map(({ method }) => method);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
