import { LONGEST_TIMER } from "../waiting/abort.ts";
import type { Log, LogLevel, LogRecord } from "../log/log.ts";
import type { ManifestEntrypoint } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { ThreadSpawner } from "../spawning/spawner.ts";

/** What a pool is made of. */
export interface PoolOptions extends Partial<PoolLimits> {
  /** Name of the service; threads are named after it. */
  readonly service: string;
  readonly spawner: ThreadSpawner;
  /** What the module must export: a thread that has loaded something else is not used. @default {anything} */
  readonly entrypoints?: readonly ManifestEntrypoint[];
  /** What the service's own calls and events are sent with. */
  readonly messenger: Messenger;
  /** @default {{}} */
  readonly config?: PlainRecord;
  /** Milliseconds that an outgoing call waits for its answer where it says nothing else. */
  readonly callTimeout: number;
  /** How many ids of former calls a call id stack keeps; where it is negative, Nameko keeps none. */
  readonly parentCallsTracked: number;
  /** Takes what the service logs. */
  readonly onLog: (record: LogRecord) => void;
  /** @default {"info"} */
  readonly logLevel?: LogLevel;
  /** Takes what the pool itself has to say. */
  readonly log: Log;
  /** Called when `Pool.demand` changes. */
  readonly onDemand?: (demand: number) => void;
}

/** The limits of a pool; each can be configured. Durations are in milliseconds. */
export interface PoolLimits {
  /** Threads at most. @default {10} */
  readonly maxWorkers: number;
  /** Threads that stay when there is nothing to do. @default {1} */
  readonly minWorkers: number;
  /** Calls that a thread runs at a time. @default {1} */
  readonly concurrency: number;
  /** After it, a thread above `minWorkers` that has nothing to do ends. @default {60_000} */
  readonly idleTimeout: number;
  /** A service's module must load within it. @default {30_000} */
  readonly loadTimeout: number;
  /** A thread that runs something and gives no sign of life for so long is ended. @default {60_000} */
  readonly stallTimeout: number;
  /** A call that has timed out may take so long to end; then its thread is ended. @default {250} */
  readonly killGrace: number;
  /** Dependencies may take so long to dispose. @default {5_000} */
  readonly stopTimeout: number;
}

/** The limits of a pool where nobody says otherwise. */
export const DEFAULT_LIMITS: PoolLimits = {
  maxWorkers: 10,
  minWorkers: 1,
  concurrency: 1,
  idleTimeout: 60_000,
  loadTimeout: 30_000,
  stallTimeout: 60_000,
  killGrace: 250,
  stopTimeout: 5_000,
};

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} If a limit makes no sense.
 */
export function poolLimits(given: Partial<PoolLimits>): PoolLimits {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof PoolLimits)[];
  const { minWorkers, ...rest } = Object.fromEntries(
    names.map((name) => [name, given[name] ?? DEFAULT_LIMITS[name]]),
  ) as { readonly [Name in keyof PoolLimits]: number };
  const limits = { ...rest, minWorkers: Math.min(minWorkers, rest.maxWorkers) };
  for (const name of ["maxWorkers", "minWorkers", "concurrency"] as const) {
    if (!Number.isInteger(limits[name]) || limits[name] < 1) {
      throw new RangeError(`Cannot make a pool: ${name} must be a positive integer, got ${limits[name]}`);
    }
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!(value >= 0 && value <= LONGEST_TIMER)) {
      throw new RangeError(`Cannot make a pool: ${name} must be from 0 to ${LONGEST_TIMER}, got ${value}`);
    }
  }
  return limits;
}
