import { LONGEST_TIMER } from "../waiting/abort.ts";
import type { Clock } from "../waiting/clock.ts";
import type { ServeMessage } from "../channel/port.ts";
import type { Log, LogRecord, LogThreshold } from "../log/log.ts";
import { DEFAULT_LOG_LIMIT } from "../log/record_limit.ts";
import type { ManifestEntrypoint } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { EndedCall } from "../telemetry/ended_call.ts";
import type { PayloadSettings } from "../message/payload/settings.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { ThreadSpawner } from "../spawning/spawner.ts";
import { checkRenewalLimits, type RenewalLimits } from "./renewal/wear.ts";
import type { ThreadRenewal } from "../telemetry/measuring/thread_renewal.ts";

/** Options of a pool. */
export interface PoolOptions extends Partial<PoolLimits>, RenewalLimits {
  /** Name of the service. The pool names its threads after it. */
  readonly service: string;
  readonly spawner: ThreadSpawner;
  /**
   * Entrypoints that the service must have. The pool does not use a thread that has loaded others.
   *
   * @default {any entrypoints}
   */
  readonly entrypoints?: readonly ManifestEntrypoint[];
  /** Sends the calls and events of the service itself. */
  readonly messenger: Messenger;
  /** Mebibytes that each thread may have for its objects. The spawner sets the limit. @default {V8 decides} */
  readonly heapLimit?: number;
  /** @default {{}} */
  readonly config?: PlainRecord;
  /** Where the keys of the configuration stand. @default {nobody knows} */
  readonly configOrigins?: ServeMessage["configOrigins"];
  /** Milliseconds that an outgoing call waits for its answer, unless the call sets another time. */
  readonly callTimeout: number;
  /** Number of ids of former calls that a call id stack keeps. A negative number keeps none, as in Nameko. */
  readonly parentCallsTracked: number;
  /** How the service writes and reads what has no serializer of its own. @default {JSON} */
  readonly payloads?: PayloadSettings;
  /**
   * Tells when the time of a call is up. What the pool does about its threads follows the clock of the machine.
   *
   * @default {the clock of the machine}
   */
  readonly clock?: Clock | undefined;
  /** Receives the log records of the service. */
  readonly onLog: (record: LogRecord) => void;
  /**
   * Gives the least severe level of the service's records that somebody wants at present. The pool asks before each
   * call, so this function must be cheap. @default {always "info"}
   */
  readonly logThreshold?: () => LogThreshold;
  /** Receives the messages of the pool itself. */
  readonly log: Log;
  /** Called with each call that has its outcome. It must not throw. @default {nobody wants to know} */
  readonly onCallEnded?: (ended: EndedCall) => void;
  /** Called with the reason when a thread that served is lost. It must not throw. @default {nobody wants to know} */
  readonly onThreadLost?: (reason: string) => void;
  /** Called when another thread has taken the place of a thread. It must not throw. @default {nobody wants to know} */
  readonly onThreadRenewed?: (reason: ThreadRenewal) => void;
  /** Called when `Pool.demand` changes. */
  readonly onDemand?: (demand: number) => void;
}

/** The limits of a pool. The configuration can set each of them. Durations are in milliseconds. */
export interface PoolLimits {
  /** Largest number of threads. @default {10} */
  readonly maxWorkers: number;
  /** Number of threads that stay when there is nothing to do. @default {1} */
  readonly minWorkers: number;
  /** Number of calls that a thread runs at a time. @default {1} */
  readonly concurrency: number;
  /** Time without work after which a thread above `minWorkers` ends. @default {60_000} */
  readonly idleTimeout: number;
  /** Time within which the module of a service must load. @default {30_000} */
  readonly loadTimeout: number;
  /** Time without a sign of life after which the pool ends a busy thread. @default {60_000} */
  readonly stallTimeout: number;
  /** Time that a call may take to end after it timed out. Then the pool ends its thread. @default {250} */
  readonly killGrace: number;
  /** Time that a thread may take to dispose its dependencies. @default {5_000} */
  readonly stopTimeout: number;
  /** Number of log records that each thread may write in a second. @default {1_000} */
  readonly logLimit: number;
  /** Whether the pool refuses a call whose caller does not wait as long as the call takes. @default {true} */
  readonly refuseDoomed: boolean;
}

/** The default limits of a pool. */
export const DEFAULT_LIMITS: PoolLimits = {
  maxWorkers: 10,
  minWorkers: 1,
  concurrency: 1,
  idleTimeout: 60_000,
  loadTimeout: 30_000,
  stallTimeout: 60_000,
  killGrace: 250,
  stopTimeout: 5_000,
  logLimit: DEFAULT_LOG_LIMIT,
  refuseDoomed: true,
};

/**
 * Fills in the defaults, and lowers `minWorkers` to `maxWorkers` if it is higher.
 *
 * @throws {RangeError} If a limit is out of its range.
 */
export function poolLimits(given: Partial<PoolLimits> & RenewalLimits): PoolLimits {
  checkRenewalLimits(given);
  const names = Object.keys(DEFAULT_LIMITS) as (keyof PoolLimits)[];
  const { minWorkers, ...rest } = Object.fromEntries(
    names.map((name) => [name, given[name] ?? DEFAULT_LIMITS[name]]),
  ) as unknown as PoolLimits;
  const limits = { ...rest, minWorkers: Math.min(minWorkers, rest.maxWorkers) };
  for (const name of ["maxWorkers", "minWorkers", "concurrency"] as const) {
    if (!Number.isInteger(limits[name]) || limits[name] < 1) {
      throw new RangeError(`Cannot make a pool: ${name} must be a positive integer, got ${limits[name]}`);
    }
  }
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === "boolean") continue;
    if (!(value >= 0 && value <= LONGEST_TIMER)) {
      throw new RangeError(`Cannot make a pool: ${name} must be from 0 to ${LONGEST_TIMER}, got ${value}`);
    }
  }
  return limits;
}
