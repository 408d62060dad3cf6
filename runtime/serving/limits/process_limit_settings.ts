import type { Section, SettingTable } from "../../config/section.ts";
import { given } from "../../message/plain.ts";
import type { ProcessLimits } from "../../spawning/process/process_limits.ts";

/** The names of the settings, by the limits that they set. */
export const PROCESS_LIMIT_KEYS = {
  memoryLimit: "memory_limit",
  cpuLimit: "cpu_limit",
  openFilesLimit: "open_files_limit",
  taskLimit: "task_limit",
} as const satisfies Record<keyof ProcessLimits, string>;

const NAMES = Object.keys(PROCESS_LIMIT_KEYS) as (keyof ProcessLimits)[];

/** Smallest memory limit in mebibytes: Deno and Enoki need some 100 before a service has anything. */
const LEAST_MEMORY = 128;

/** Smallest CPU limit in cores: the start alone takes some 0.3 s of the 1 s that this is in the first 10 s. */
const LEAST_CPU = 0.1;

/** Files of a process and of each of its threads. Deno panics if there are none left for a thread. */
const [OWN_FILES, FILES_OF_THREAD] = [40, 6];

/** Tasks of a process beside those for calls: threads of V8, and for what Deno does in the background. */
const OWN_TASKS = 40;

/** What is wrong with a limit, and how it should be. */
interface Fault {
  readonly name: keyof ProcessLimits;
  readonly least: number;
  readonly expected: string;
}

/** What a limit has to be. */
interface Rule {
  readonly least: number;
  /** What the number counts, where its key does not say so. */
  readonly unit?: string;
  /** What the least depends on. */
  readonly why?: string;
}

/** Reads the limits of a process, which {@linkcode requireProcessLimits} checks. */
export function processLimitSettings(at: Section): ProcessLimits {
  return given(Object.fromEntries(NAMES.map((name) => [name, at.get(PROCESS_LIMIT_KEYS[name])])));
}

/**
 * Refuses limits that make no sense, those with which a process would not even start its threads, and those of a service
 * that has no process of its own.
 *
 * @param limits What the service has: its own limits, or else those of all services.
 */
export function requireProcessLimits(
  at: Section,
  limits: ProcessLimits,
  { maxWorkers, hasProcess, isChosen }: {
    readonly maxWorkers: number;
    readonly hasProcess: boolean;
    /** Whether `isolation` says so, and not the permissions. */
    readonly isChosen: boolean;
  },
): void {
  if (!hasProcess) {
    const foreign = NAMES.find((name) => at.get(PROCESS_LIMIT_KEYS[name]) !== undefined);
    if (foreign !== undefined) {
      at.refuse(
        PROCESS_LIMIT_KEYS[foreign],
        "isolation: process beside it, because only such a process can be limited",
      );
    }
    const shared = isChosen ? undefined : NAMES.find((name) => limits[name] !== undefined);
    if (shared === undefined) return;
    at.refuse(
      "permissions",
      `isolation beside it: process, for the ${
        PROCESS_LIMIT_KEYS[shared]
      } of all services, or threads, without it`,
    );
  }
  const fault = faultIn({ ...limits }, maxWorkers);
  if (fault === undefined) return;
  const key = PROCESS_LIMIT_KEYS[fault.name];
  if (at.get(key) !== undefined) at.refuse(key, fault.expected);
  at.refuse(
    "max_workers",
    `less, because so many threads need ${key}: ${fault.least}, and it is ${limits[fault.name]}`,
  );
}

/**
 * Checks limits that a program has given.
 *
 * @param own The limits of the program.
 * @param limits What the services have: those of the program, or else those of the configuration.
 * @throws {RangeError} If one of them makes no sense, or there is no process that it limits.
 */
export function checkProcessLimits(
  own: ProcessLimits,
  limits: ProcessLimits,
  { maxWorkers, hasProcess }: { readonly maxWorkers: number; readonly hasProcess: boolean },
): void {
  const foreign = hasProcess ? undefined : NAMES.find((name) => own[name] !== undefined);
  if (foreign !== undefined) {
    throw new RangeError(
      `Cannot make threads: ${foreign} needs kind: "process" beside it, because only such a process can be limited`,
    );
  }
  const fault = faultIn({ ...limits }, maxWorkers);
  if (fault === undefined) return;
  const { name, expected } = fault;
  throw new RangeError(`Cannot make threads: ${name} must be ${expected}, got ${limits[name]}`);
}

function faultIn(limits: Readonly<Record<string, unknown>>, maxWorkers: number): Fault | undefined {
  const forThreads = ` for ${maxWorkers} ${maxWorkers === 1 ? "thread" : "threads"} (max_workers)`;
  const rules: Readonly<Record<keyof ProcessLimits, Rule>> = {
    memoryLimit: { least: LEAST_MEMORY, unit: " of MiB" },
    cpuLimit: { least: LEAST_CPU, unit: " of cores" },
    openFilesLimit: { least: OWN_FILES + FILES_OF_THREAD * maxWorkers, why: forThreads },
    taskLimit: { least: OWN_TASKS + maxWorkers, why: forThreads },
  };
  for (const name of NAMES) {
    const { [name]: limit } = limits;
    if (limit === undefined) continue;
    const { least, unit = "", why = "" } = rules[name];
    const isWhole = name !== "cpuLimit";
    if (
      typeof limit === "number" && limit >= least && limit < Infinity && (!isWhole || Number.isInteger(limit))
    ) continue;
    return { name, least, expected: `${isWhole ? "an integer" : "a number"}${unit}, ${least} or more${why}` };
  }
  return undefined;
}

/** The settings that this file reads. */
export const PROCESS_LIMIT_SETTINGS: SettingTable = {
  memory_limit: { kind: "number", about: "mebibytes of memory of a process of the service's own" },
  cpu_limit: { kind: "number", about: "cores that such a process may use on average over 10 s" },
  open_files_limit: { kind: "number", about: "files and connections that such a process may have open" },
  task_limit: { kind: "number", about: "threads that such a process and those that it starts may have" },
};
