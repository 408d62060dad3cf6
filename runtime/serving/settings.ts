/**
 * Reads the settings of the runtime itself: threads, permissions, loading and stopping, for all services and
 * for single services.
 *
 * This file turns seconds into milliseconds. Extensions read their own settings.
 */
import type { Duration } from "../waiting/duration.ts";
import { given, type PlainRecord } from "../message/plain.ts";
import type { PayloadSettings } from "../message/payload/settings.ts";
import { type Section, settingsBelow, type SettingTable } from "../config/section.ts";
import { DEFAULT_PARENT_CALLS_TRACKED } from "../message/call_headers.ts";
import type { ModuleFetcherOptions } from "../module/fetch/fetcher.ts";
import { moduleSettings } from "../module/fetch/settings.ts";
import { checkPermissions, type ServicePermissions } from "../permissions/permissions.ts";
import { checkVariables } from "../permissions/variables.ts";
import { payloadSettings } from "../config/payload_settings.ts";
import { DEFAULT_LIMITS, type PoolLimits, poolLimits } from "../pool/pool_options.ts";
import type { RenewalLimits } from "../pool/renewal/wear.ts";
import {
  checkProcessLimits,
  PROCESS_LIMIT_SETTINGS,
  requireProcessLimits,
} from "./limits/process_limit_settings.ts";
import {
  type DurationLimit,
  givenDurations,
  LEAST_HEAP,
  type ThreadLimits,
  threadLimits,
  withSoftLimit,
} from "./limits/thread_limits.ts";
import { type TelemetrySettings, telemetrySettings } from "../telemetry/settings.ts";
import type { ThreadPlan } from "../spawning/create_spawner.ts";
import { type Isolation, isolationOf } from "../spawning/isolation.ts";
import type { ThreadKind } from "../spawning/spawner.ts";

/** The settings of one service. Durations are in milliseconds. */
export interface ServiceSettings {
  /** Number of threads that the service may have, at least 1. */
  readonly maxWorkers: number;
  /** Number of calls that one thread runs at a time, at least 1. */
  readonly concurrency: number;
  /** How long an outgoing call waits for its answer. */
  readonly callTimeout: number;
  /** What the service may do. */
  readonly permissions: ServicePermissions;
  /** What is to wall the service off. @default {its permissions decide, see {@linkcode isolationOf}} */
  readonly isolation?: Isolation;
  /** How many threads it has, and how many calls they run. */
  readonly limits: ThreadLimits;
  /**
   * Environment variables of the service's own. Those of a single service win over those of all services.
   *
   * @default {no variables}
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Keys of the service's own, which win over the keys of the whole configuration. @default {{}} */
  readonly config?: PlainRecord;
  /** The only keys of the whole configuration that the service sees. @default {all keys} */
  readonly configKeys?: readonly string[];
  /** What the service may use of the broker. @default {all that does not belong to others} */
  readonly broker?: BrokerNames;
}

/** Exchanges and queues that a service may use, as patterns in which `*` stands for any text. */
export interface BrokerNames {
  /** Exchanges, and queues that are published to directly. @default {all} */
  readonly publish?: readonly string[];
  /** Queues, and exchanges that queues are bound to. @default {all that do not belong to others} */
  readonly consume?: readonly string[];
}

/** The settings of all services, and of the process. Durations are in milliseconds. */
export interface RuntimeSettings extends ServiceSettings {
  /**
   * How many ids of former calls a call id stack keeps. If the number is negative, the stack is empty, as in
   * Nameko.
   */
  readonly parentCallsTracked: number;
  /** How all services write and read what has no serializer of its own. */
  readonly payloads: PayloadSettings;
  /** Kind of the threads of all services; undefined if their permissions decide. */
  readonly threadKind: ThreadKind | undefined;
  /** What of the calls is kept to be seen; undefined if telemetry is off. */
  readonly telemetry: TelemetrySettings | undefined;
  /** How modules are loaded from URLs. */
  readonly modules: ModuleFetcherOptions;
  /** How long a polite stop may take. */
  readonly grace: number;
  /** How many processes `run` starts; undefined if it serves in its own. */
  readonly processes: number | undefined;
  /** Services that have their own settings. {@linkcode serviceSettings} gives the settings of any service. */
  readonly services: ReadonlyMap<string, OwnSettings>;
}

function processCount(at: Section): number | undefined {
  const value = at.get("processes");
  if (value === "auto") return navigator.hardwareConcurrency;
  if (value === undefined || Number.isInteger(value) && (value as number) >= 1) {
    return value as number | undefined;
  }
  return at.refuse("processes", "an integer, 1 or more, or auto");
}

/** The settings that the configuration has for one service. */
export interface OwnSettings extends ServiceSettings {
  /** Key of these settings with its line and file, as messages name it. */
  readonly where: string;
}

/**
 * Settings that a program gives for the threads of all services. They win over the configuration, except over
 * its settings for single services.
 */
export type ThreadSettings =
  & Partial<ThreadPlan>
  & { readonly [Name in Exclude<keyof PoolLimits, DurationLimit>]?: PoolLimits[Name] }
  & Omit<RenewalLimits, DurationLimit>
  & { readonly [Name in DurationLimit]?: Duration };

const DEFAULTS: ServiceSettings = {
  maxWorkers: DEFAULT_LIMITS.maxWorkers,
  concurrency: DEFAULT_LIMITS.concurrency,
  callTimeout: 30_000,
  permissions: "none",
  limits: {},
};

const DEFAULT_GRACE = 30_000;

/**
 * Reads the runtime's own keys.
 *
 * @throws {ConfigurationError} If a value does not fit its key, or the settings of a service have an unknown
 * key.
 * @throws {RangeError} If a value in `threads` makes no sense.
 */
export function runtimeSettings(at: Section, threads: ThreadSettings = {}): RuntimeSettings {
  const shared = withThreads(sharedSettings(at, DEFAULTS), threads);
  const services = at.section("services");
  return {
    ...shared,
    parentCallsTracked: at.integer("parent_calls_tracked") ?? DEFAULT_PARENT_CALLS_TRACKED,
    payloads: payloadSettings(at),
    threadKind: threads.kind,
    telemetry: telemetrySettings(at),
    modules: moduleSettings(at.section("modules")),
    grace: at.milliseconds("grace") ?? DEFAULT_GRACE,
    processes: processCount(at),
    services: new Map(
      Object.keys(services?.values ?? {}).map((name) => {
        const own = services!.section(name);
        const where = services!.describe(name);
        return [name, { ...(own === undefined ? shared : ownSettings(own, shared)), where }];
      }),
    ),
  };
}

/** Gives the settings of one service: its own, or else those of all services. */
export function serviceSettings(settings: RuntimeSettings, service: string): ServiceSettings {
  const own: ServiceSettings = settings.services.get(service) ?? settings;
  const { maxWorkers, concurrency, callTimeout, permissions, limits } = own;
  const { isolation, env, config, configKeys, broker } = own;
  const optional = given({ isolation, env, config, configKeys, broker });
  return { maxWorkers, concurrency, callTimeout, permissions, limits, ...optional };
}

/** Gives names of services that are not in `served` and have settings, with the key and its line. */
export function settingsOfOthers(
  { services }: RuntimeSettings,
  served: ReadonlyMap<string, unknown>,
): readonly (readonly [name: string, where: string])[] {
  return [...services].filter(([name]) => !served.has(name)).map(([name, { where }]) => [name, where]);
}

/** Reads the settings of one service. Refuses unknown keys: one could be meant to take a permission away. */
function ownSettings(at: Section, shared: ServiceSettings): ServiceSettings {
  const own = {
    ...sharedSettings(at, shared),
    ...given({
      config: at.section("config")?.values,
      configKeys: at.texts("config_keys"),
      broker: brokerNames(at.section("broker")),
    }),
  };
  at.refuseOthers();
  return own;
}

function sharedSettings(at: Section, defaults: ServiceSettings): ServiceSettings {
  const wall = {
    permissions: permissions(at) ?? defaults.permissions,
    ...given({ isolation: isolation(at) ?? defaults.isolation }),
  };
  // Nameko reads a zero as "not set" for this key only.
  const maxWorkers = (at.get("max_workers") === 0 ? undefined : at.integer("max_workers", 1)) ??
    defaults.maxWorkers;
  const limits = withSoftLimit(at, { ...defaults.limits, ...threadLimits(at) });
  requireProcessLimits(at, limits, {
    maxWorkers,
    hasProcess: isolationOf(wall) === "process",
    isChosen: wall.isolation !== undefined,
  });
  return {
    maxWorkers,
    concurrency: at.integer("concurrency", 1) ?? defaults.concurrency,
    callTimeout: at.milliseconds("call_timeout") ?? defaults.callTimeout,
    ...wall,
    limits,
    ...given({ env: mergedVariables(defaults.env, variables(at)) }),
  };
}

function brokerNames(at: Section | undefined): BrokerNames | undefined {
  const names = at && given({ publish: at.texts("publish"), consume: at.texts("consume") });
  at?.refuseOthers();
  return names;
}

function permissions(at: Section): ServicePermissions | undefined {
  const value = at.get("permissions");
  return value === undefined
    ? undefined
    : checkPermissions(value, (name) => at.describe("permissions", name));
}

function isolation(at: Section): Isolation | undefined {
  return at.text("isolation", /^(?:threads|process)$/, "threads or process") as Isolation | undefined;
}

function variables(at: Section): ServiceSettings["env"] {
  const value = at.get("env");
  return value === undefined ? undefined : checkVariables(value, (name) => at.describe("env", name));
}

/** Puts one set of environment variables on top of another. */
function mergedVariables(all: ServiceSettings["env"], own: ServiceSettings["env"]): ServiceSettings["env"] {
  return all && own ? { ...all, ...own } : own ?? all;
}

function withThreads(settings: ServiceSettings, threads: ThreadSettings): ServiceSettings {
  const { permissions, maxWorkers, concurrency, env, kind, ...others } = threads;
  const limits = { ...others, ...givenDurations(threads) } as ThreadLimits;
  poolLimits({ ...limits, ...given({ maxWorkers, concurrency }) });
  const { heapLimit = LEAST_HEAP } = limits;
  if (!(Number.isInteger(heapLimit) && heapLimit >= LEAST_HEAP)) {
    throw new RangeError(
      `Cannot make threads: heapLimit must be an integer, ${LEAST_HEAP} or more, got ${heapLimit}`,
    );
  }
  checkProcessLimits(limits, { ...settings.limits, ...limits }, {
    maxWorkers: maxWorkers ?? settings.maxWorkers,
    hasProcess: (kind ?? isolationOf({ ...settings, ...given({ permissions }) })) === "process",
  });
  if (permissions !== undefined) checkPermissions(permissions, "the permissions of threads");
  const own = env && checkVariables(env, "the environment variables of threads");
  return {
    ...settings,
    ...given({ permissions, maxWorkers, concurrency, env: mergedVariables(settings.env, own) }),
    limits: { ...settings.limits, ...limits },
  };
}

/** The settings that all services have, and each service may have for itself. */
const SHARED_SETTINGS: SettingTable = {
  max_workers: { kind: "number", default: 10, about: "threads that a service may have" },
  concurrency: { kind: "number", default: 1, about: "calls that a thread runs at a time" },
  call_timeout: { kind: "duration", default: "30s", about: "how long an outgoing call waits for its answer" },
  permissions: { kind: "mapping", default: "none", about: "none, all, or a list for each permission" },
  isolation: { kind: "text", about: "threads or process (process, unless permissions are all)" },
  env: { kind: "mapping", about: "environment variables of the services" },
  min_workers: { kind: "number", default: 1, about: "threads that stay when there is nothing to do" },
  idle_timeout: { kind: "duration", default: "1m", about: "idle time after which a further thread ends" },
  load_timeout: { kind: "duration", default: "30s", about: "how long a module may take to load" },
  stall_timeout: { kind: "duration", default: "1m", about: "silence after which a busy thread is ended" },
  kill_grace: { kind: "duration", default: "250ms", about: "time to end for a call whose time is up" },
  stop_timeout: { kind: "duration", default: "5s", about: "time for a thread to dispose its dependencies" },
  ...PROCESS_LIMIT_SETTINGS,
  heap_limit: { kind: "number", default: 1_024, about: "mebibytes of JavaScript heap of each thread" },
  max_calls: { kind: "number", about: "calls after which another thread takes the place of a thread" },
  max_age: { kind: "duration", about: "how old a thread gets before another one takes its place" },
  soft_heap_limit: { kind: "number", about: "mebibytes of heap above which another one takes its place" },
  log_limit: { kind: "number", default: 1_000, about: "log records that a thread may write in a second" },
  refuse_doomed: {
    kind: "flag",
    default: true,
    about: "whether a call is refused whose caller does not wait as long as it takes",
  },
};

/** The same settings of one service, which has those of all services where it has none. */
const OWN_SETTINGS: SettingTable = Object.fromEntries(
  Object.entries(SHARED_SETTINGS).map(([key, { default: _default, ...setting }]) => [key, setting]),
);

/** The settings that this file reads, and those of the files that it calls. */
export const RUNTIME_SETTINGS: SettingTable = {
  ...SHARED_SETTINGS,
  grace: { kind: "duration", default: "30s", about: "how long a polite stop may take" },
  processes: { kind: "number", about: "processes that enoki run starts, or auto: one for each core" },
  parent_calls_tracked: { kind: "number", default: 10, about: "ids of former calls that a call keeps" },
  serializer: { kind: "text", default: "json", about: "what RPC, events and messages are written in" },
  ACCEPT: { kind: "list", about: "serializers of what is read (what serializer says)" },
  SERIALIZERS: { kind: "mapping", about: "serializers by names of your own" },
  "SERIALIZERS.*": { kind: "mapping", about: "one of them" },
  "SERIALIZERS.*.built_in": { kind: "text", about: "the built-in serializer that it is" },
  "SERIALIZERS.*.content_type": { kind: "text", about: "content type of its messages" },
  "SERIALIZERS.*.content_encoding": { kind: "text", about: "content encoding of its messages" },
  "SERIALIZERS.*.encoder": { kind: "text", about: "used by Python alone" },
  "SERIALIZERS.*.decoder": { kind: "text", about: "used by Python alone" },
  bigints: { kind: "flag", default: false, about: "whether large integers of JSON are bigints" },
  decompressed_limit: {
    kind: "number",
    default: 64,
    about: "mebibytes that a message may have once it is decompressed",
  },
  LOG_CALLS: { kind: "flag", default: false, about: "whether each call is a line of the log, at debug" },
  telemetry: { kind: "mapping", default: true, about: "false for no traces, rates and counts of calls" },
  "telemetry.recent_calls": { kind: "number", default: 10_000, about: "calls that the process remembers" },
  modules: { kind: "mapping", about: "how modules are loaded from URLs" },
  "modules.lock": { kind: "text", about: "lock file for the hashes of modules" },
  "modules.frozen": {
    kind: "flag",
    default: false,
    about: "whether modules are refused that are not in the lock file",
  },
  "modules.reload": { kind: "flag", default: false, about: "whether all modules are fetched anew" },
  "modules.cached_only": { kind: "flag", default: false, about: "whether nothing is ever fetched" },
  "modules.cache": { kind: "text", about: "folder of the cache, or false for none" },
  "modules.allow_import": { kind: "list", default: true, about: "hosts to import from, or true for all" },
  "modules.headers": { kind: "mapping", about: "headers of requests, by host" },
  "modules.ca_certs": { kind: "text", about: "file of certificates that are trusted, too" },
  "modules.timeout": { kind: "duration", default: "30s", about: "how long a module may take to be fetched" },
  "modules.max_size": { kind: "number", default: 10_485_760, about: "bytes that a module may have" },
  "modules.max_total_size": {
    kind: "number",
    default: 104_857_600,
    about: "bytes that all modules may have",
  },
  "modules.allow_http": { kind: "flag", default: false, about: "whether modules come over plain http, too" },
  services: { kind: "mapping", about: "settings of single services, by name" },
  "services.*": { kind: "mapping", about: "settings of one service, which win over the others" },
  ...settingsBelow("services.*", OWN_SETTINGS),
  "services.*.config": { kind: "mapping", about: "keys that only this service sees" },
  "services.*.config_keys": { kind: "list", about: "the only other keys that it sees (all)" },
  "services.*.broker": { kind: "mapping", about: "what it may use of the broker" },
  "services.*.broker.publish": { kind: "list", about: "exchanges and queues that it may publish to" },
  "services.*.broker.consume": { kind: "list", about: "queues and exchanges that it may consume" },
};
