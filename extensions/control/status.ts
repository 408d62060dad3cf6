/**
 * What `status` and `manifests` tell, as it is read from an answer.
 *
 * Answers come from other processes, perhaps of other versions of Enoki. So each field is checked, and one that is
 * missing has the least value of its kind.
 */
import { isRecord, isTexts } from "../../runtime/message/plain.ts";
import type { ControlAnswer } from "./answer.ts";

/** Numbers of the threads of a service in one process. */
export interface ThreadNumbers {
  /** Threads that run a call. */
  readonly busy: number;
  /** Threads that take calls, those that run one included. */
  readonly ready: number;
  /** Threads that start. */
  readonly starting: number;
  /** Threads that there may be. */
  readonly max: number;
}

/** What the latest calls of a service in one process say about it. */
export interface ServiceRates {
  /** Calls that ended in a second. */
  readonly calls: number;
  /** Calls that ended in a second with an error that their entrypoint does not expect. */
  readonly errors: number;
  /** Milliseconds that half of the calls took at most; absent if there was no call. */
  readonly p50?: number;
  /** Milliseconds that 99 of 100 calls took at most; absent if there was no call. */
  readonly p99?: number;
}

/** State of one service in one process. */
export interface ServiceStatus {
  /** Name of the service. */
  readonly name: string;
  /** State of its container, such as `running` or `draining`. */
  readonly state: string;
  /** Why the service was given up; absent if it was not. */
  readonly failure?: string;
  /** A text that differs if the manifest differs. */
  readonly manifest: string;
  /**
   * Where its threads are: `threads` of the process, those of a `process` of its own, or `inline`, in the thread of the
   * program. Empty if the process does not tell.
   */
  readonly isolation: string;
  /** Id of the process of its own; absent if it has none at present. */
  readonly ownPid?: number;
  /** Bytes of memory of that process; absent if nobody knows. */
  readonly ownMemory?: number;
  /** How many threads there are, and how busy they are. */
  readonly threads: ThreadNumbers;
  /** Calls in the threads. */
  readonly inFlight: number;
  /** Calls that wait for a thread. */
  readonly waiting: number;
  /** Absent if the process does not count its calls. */
  readonly rates?: ServiceRates;
}

/** State of one process that serves. */
export interface InstanceStatus {
  /** Id of the instance. */
  readonly id: string;
  /** Name of its machine; empty if the process may not know it. */
  readonly host: string;
  /** Id of the process on its machine. */
  readonly pid: number;
  /** Version of Enoki. */
  readonly version: string;
  /** Milliseconds since it has begun to serve. */
  readonly uptime: number;
  /** The services that the process serves. */
  readonly services: readonly ServiceStatus[];
}

/** One entrypoint of a service that runs. */
export interface LiveEntrypoint {
  /** The method that the entrypoint calls. */
  readonly method: string;
  /** Kind of the entrypoint, such as `rpc`. */
  readonly kind: string;
  /** The options that the author has given, as plain data. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How the entrypoint describes itself. Present only if somebody asked for it. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One dependency of a service that runs. */
export interface LiveDependency {
  /** Key under which handlers find the dependency. */
  readonly key: string;
  /** Kind of the dependency; undefined if the main thread sets nothing up for it. */
  readonly kind: string | undefined;
  /** Present only if somebody asked for the details. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** How the dependency describes itself. Present only if somebody asked for it. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a service that runs offers and needs. */
export interface LiveManifest {
  /** Name of the service. */
  readonly name: string;
  /** The entrypoints, in the order of their definition. */
  readonly entrypoints: readonly LiveEntrypoint[];
  /** The dependencies, in the order in which they are set up. */
  readonly dependencies: readonly LiveDependency[];
  /** Names of the queues that it consumes. */
  readonly queues: readonly string[];
}

/** Reads an answer to `status`. Gives undefined if it is none. */
export function readStatus({ instance: id, answer }: ControlAnswer): InstanceStatus | undefined {
  if (answer === undefined) return undefined;
  return {
    id,
    host: text(answer["host"]),
    pid: count(answer["pid"]),
    version: text(answer["version"]),
    uptime: count(answer["uptime"]),
    services: records(answer["services"]).map(readService),
  };
}

function readService(service: Readonly<Record<string, unknown>>): ServiceStatus {
  const threads = isRecord(service["threads"]) ? service["threads"] : {};
  return {
    name: text(service["name"]),
    state: text(service["state"]),
    ...(typeof service["failure"] === "string" && { failure: text(service["failure"]) }),
    manifest: text(service["manifest"]),
    isolation: text(service["isolation"]),
    ...(typeof service["ownPid"] === "number" && { ownPid: count(service["ownPid"]) }),
    ...(typeof service["ownMemory"] === "number" && { ownMemory: count(service["ownMemory"]) }),
    threads: {
      busy: count(threads["busy"]),
      ready: count(threads["ready"]),
      starting: count(threads["starting"]),
      max: count(threads["max"]),
    },
    inFlight: count(service["inFlight"]),
    waiting: count(service["waiting"]),
    ...(isRecord(service["rates"]) && { rates: readRates(service["rates"]) }),
  };
}

function readRates({ calls, errors, p50, p99 }: Readonly<Record<string, unknown>>): ServiceRates {
  return {
    calls: count(calls),
    errors: count(errors),
    ...(typeof p50 === "number" && { p50: count(p50) }),
    ...(typeof p99 === "number" && { p99: count(p99) }),
  };
}

/** Reads an answer to `manifests`. */
export function readManifests({ answer }: ControlAnswer): readonly LiveManifest[] {
  return records(answer?.["services"]).map(({ name, entrypoints, dependencies, queues }) => ({
    name: text(name),
    entrypoints: records(entrypoints).map(({ method, kind, options, details }) => ({
      method: text(method),
      kind: text(kind),
      options: isRecord(options) ? options : {},
      ...(isRecord(details) && { details }),
    })),
    dependencies: records(dependencies).map(({ key, kind, options, details }) => ({
      key: text(key),
      kind: typeof kind === "string" ? kind : undefined,
      ...(isRecord(options) && { options }),
      ...(isRecord(details) && { details }),
    })),
    queues: isTexts(queues) ? queues : [],
  }));
}

function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((each) => isRecord(each)) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MOST_TEXT) : "";
}

/** Characters of a text that are kept. */
const MOST_TEXT = 1_000;

function count(value: unknown): number {
  return typeof value === "number" && value >= 0 && value < Infinity ? value : 0;
}
