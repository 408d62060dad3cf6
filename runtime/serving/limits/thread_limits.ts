import type { Section } from "../../config/section.ts";
import { given } from "../../message/plain.ts";
import type { PoolLimits } from "../../pool/pool_options.ts";
import type { RenewalLimits } from "../../pool/renewal/wear.ts";
import { DEFAULT_HEAP_LIMIT } from "../../spawning/create_spawner.ts";
import type { ProcessLimits } from "../../spawning/process/process_limits.ts";
import { type Duration, requireDuration } from "../../waiting/duration.ts";
import { processLimitSettings } from "./process_limit_settings.ts";

/** The limits of threads that are set. All other limits have the defaults of {@linkcode PoolLimits}. */
export type ThreadLimits =
  & Partial<Omit<PoolLimits, "maxWorkers" | "concurrency">>
  & RenewalLimits
  & ProcessLimits
  & {
    /** Mebibytes of JavaScript heap for each thread. */
    readonly heapLimit?: number;
  };

/** The keys of limits that are durations. */
const DURATION_LIMITS = {
  idleTimeout: "idle_timeout",
  loadTimeout: "load_timeout",
  stallTimeout: "stall_timeout",
  killGrace: "kill_grace",
  stopTimeout: "stop_timeout",
  maxAge: "max_age",
} as const satisfies Partial<Record<keyof ThreadLimits, string>>;

/**
 * The limits that are durations.
 *
 * @internal
 */
export type DurationLimit = keyof typeof DURATION_LIMITS;

/** Smallest heap limit in mebibytes. With much less, V8 fails before there is a thread that could be ended. */
export const LEAST_HEAP = 16;

/** Least age in milliseconds at which threads can be renewed. */
const LEAST_AGE = 1_000;

/** Reads the limits of threads, and of the process that has them. */
export function threadLimits(at: Section): ThreadLimits {
  const limits: Record<string, number | boolean | undefined> = {};
  for (const [name, key] of Object.entries(DURATION_LIMITS)) {
    limits[name] = at.milliseconds(key, name === "maxAge" ? LEAST_AGE : 0);
  }
  limits["minWorkers"] = at.integer("min_workers", 1);
  limits["heapLimit"] = at.integer("heap_limit", LEAST_HEAP);
  limits["maxCalls"] = at.integer("max_calls", 1);
  limits["softHeapLimit"] = at.integer("soft_heap_limit", LEAST_HEAP);
  limits["logLimit"] = at.integer("log_limit", 1);
  limits["refuseDoomed"] = at.flag("refuse_doomed");
  return { ...given(limits), ...processLimitSettings(at) };
}

/** Refuses a soft limit of the heap that is not below the hard one: it would have no effect. */
export function withSoftLimit(at: Section, limits: ThreadLimits): ThreadLimits {
  const { heapLimit = DEFAULT_HEAP_LIMIT, softHeapLimit = 0 } = limits;
  if (softHeapLimit < heapLimit) return limits;
  return at.get("soft_heap_limit") === undefined
    ? at.refuse("heap_limit", `more than the soft_heap_limit of ${softHeapLimit}`)
    : at.refuse("soft_heap_limit", `less than the heap_limit of ${heapLimit}`);
}

/** The milliseconds of those limits of a program that are durations. */
export function givenDurations(
  threads: { readonly [Name in DurationLimit]?: Duration },
): Partial<Record<DurationLimit, number>> {
  const limits: Partial<Record<DurationLimit, number>> = {};
  for (const name of Object.keys(DURATION_LIMITS) as DurationLimit[]) {
    const duration = threads[name];
    if (duration !== undefined) limits[name] = requireDuration("Cannot make threads", name, duration);
  }
  return limits;
}
