/**
 * Reads the settings of the runtime itself: threads, permissions, loading and stopping, for all services and
 * for single services.
 *
 * This file turns seconds into milliseconds. Extensions read their own settings.
 */
import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../waiting/duration.ts";
import { given, type PlainRecord } from "../message/plain.ts";
import type { PayloadSettings } from "../message/payload/settings.ts";
import type { Section } from "../config/section.ts";
import { DEFAULT_PARENT_CALLS_TRACKED } from "../message/call_headers.ts";
import type { ModuleFetcherOptions } from "../module/fetch/fetcher.ts";
import { moduleSettings } from "../module/fetch/settings.ts";
import { checkPermissions, type ServicePermissions } from "../permissions/permissions.ts";
import { checkVariables } from "../permissions/variables.ts";
import { payloadSettings } from "../config/payload_settings.ts";
import { DEFAULT_LIMITS, type PoolLimits, poolLimits } from "../pool/pool_options.ts";
import { type TelemetrySettings, telemetrySettings } from "../telemetry/settings.ts";
import type { ThreadPlan } from "../spawning/create_spawner.ts";
import type { ThreadKind } from "../spawning/spawner.ts";

/** The limits of threads that are set. All other limits have the defaults of {@linkcode PoolLimits}. */
export type ThreadLimits = Partial<Omit<PoolLimits, "maxWorkers" | "concurrency">> & {
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit?: number;
};

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
  /** Services that have their own settings. {@linkcode serviceSettings} gives the settings of any service. */
  readonly services: ReadonlyMap<string, OwnSettings>;
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
  & { readonly [Name in DurationLimit]?: Duration };

const DEFAULTS: ServiceSettings = {
  maxWorkers: DEFAULT_LIMITS.maxWorkers,
  concurrency: DEFAULT_LIMITS.concurrency,
  callTimeout: 30_000,
  permissions: "none",
  limits: {},
};

const DEFAULT_GRACE = 30_000;

/** The keys of limits that are durations. */
const DURATION_LIMITS = {
  idleTimeout: "idle_timeout",
  loadTimeout: "load_timeout",
  stallTimeout: "stall_timeout",
  killGrace: "kill_grace",
  stopTimeout: "stop_timeout",
} as const satisfies Partial<Record<keyof ThreadLimits, string>>;

type DurationLimit = keyof typeof DURATION_LIMITS;

/**
 * Smallest heap limit in mebibytes. With much less, V8 fails before there is a thread that could be ended,
 * and the whole process ends.
 */
const LEAST_HEAP = 16;

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
  const { env, config, configKeys, broker } = own;
  const optional = given({ env, config, configKeys, broker });
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
  return {
    // Nameko reads a zero as "not set" for this key only.
    maxWorkers: (at.get("max_workers") === 0 ? undefined : at.integer("max_workers", 1)) ??
      defaults.maxWorkers,
    concurrency: at.integer("concurrency", 1) ?? defaults.concurrency,
    callTimeout: at.milliseconds("call_timeout") ?? defaults.callTimeout,
    permissions: permissions(at) ?? defaults.permissions,
    limits: { ...defaults.limits, ...threadLimits(at) },
    ...given({ env: mergedVariables(defaults.env, variables(at)) }),
  };
}

function brokerNames(at: Section | undefined): BrokerNames | undefined {
  const names = at && given({ publish: at.texts("publish"), consume: at.texts("consume") });
  at?.refuseOthers();
  return names;
}

function threadLimits(at: Section): ThreadLimits {
  const limits: Record<string, number | boolean | undefined> = {};
  for (const [name, key] of Object.entries(DURATION_LIMITS)) limits[name] = at.milliseconds(key);
  limits["minWorkers"] = at.integer("min_workers", 1);
  limits["heapLimit"] = at.integer("heap_limit", LEAST_HEAP);
  limits["logLimit"] = at.integer("log_limit", 1);
  limits["refuseDoomed"] = at.flag("refuse_doomed");
  return given(limits);
}

function permissions(at: Section): ServicePermissions | undefined {
  const value = at.get("permissions");
  return value === undefined
    ? undefined
    : checkPermissions(value, (name) => at.describe("permissions", name));
}

function variables(at: Section): ServiceSettings["env"] {
  const value = at.get("env");
  return value === undefined ? undefined : checkVariables(value, (name) => at.describe("env", name));
}

/** Puts one set of environment variables on top of another. */
function mergedVariables(all: ServiceSettings["env"], own: ServiceSettings["env"]): ServiceSettings["env"] {
  return all && own ? { ...all, ...own } : own ?? all;
}

/** The milliseconds of the limits that are durations. */
function givenDurations(threads: ThreadSettings): Partial<Record<DurationLimit, number>> {
  const limits: Partial<Record<DurationLimit, number>> = {};
  for (const name of Object.keys(DURATION_LIMITS) as DurationLimit[]) {
    const duration = threads[name];
    if (duration === undefined) continue;
    const milliseconds = millisecondsOf(duration);
    if (Number.isNaN(milliseconds)) {
      throw new RangeError(
        `Cannot make threads: ${name} must be milliseconds, ${OR_TEXT}, got ${shownDuration(duration)}`,
      );
    }
    limits[name] = milliseconds;
  }
  return limits;
}

function withThreads(settings: ServiceSettings, threads: ThreadSettings): ServiceSettings {
  const { permissions, maxWorkers, concurrency, env, kind: _kind, ...others } = threads;
  const limits = { ...others, ...givenDurations(threads) } as ThreadLimits;
  poolLimits({ ...limits, ...given({ maxWorkers, concurrency }) });
  const { heapLimit = LEAST_HEAP } = limits;
  if (!(Number.isInteger(heapLimit) && heapLimit >= LEAST_HEAP)) {
    throw new RangeError(
      `Cannot make threads: heapLimit must be an integer, ${LEAST_HEAP} or more, got ${heapLimit}`,
    );
  }
  if (permissions !== undefined) checkPermissions(permissions, "the permissions of threads");
  const own = env && checkVariables(env, "the environment variables of threads");
  return {
    ...settings,
    ...given({ permissions, maxWorkers, concurrency, env: mergedVariables(settings.env, own) }),
    limits: { ...settings.limits, ...limits },
  };
}
