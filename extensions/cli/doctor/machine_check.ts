import { readFileSync } from "node:fs";
import type { ServiceSettings } from "../../../runtime/serving/settings.ts";
import { isolationOf } from "../../../runtime/spawning/isolation.ts";
import type { Check } from "./finding.ts";

/** Bytes of a mebibyte. */
const MIB = 2 ** 20;

/** Mebibytes that the main thread, and each thread with a small service, take. */
const MAIN_COST = 60;
const THREAD_COST = 10;

/** Mebibytes that a process of a service's own takes, beside its threads. */
const OWN_PROCESS_COST = 35;

/** Mebibytes that the supervisor of several processes takes. */
const SUPERVISOR_COST = 60;

/** Mebibytes of JavaScript heap that a thread may have if nothing says otherwise. */
const DEFAULT_HEAP = 1_024;

/** Share of the memory that threads may take before they do any work. */
const MOST_BARE = 0.8;

/** Open files below which a busy server comes to an end. */
const FEW_FILES = 1_024;

/** What the machine gives to this process; undefined where the system does not say. */
export interface Machine {
  readonly cores: number;
  /** Bytes of memory: those of the container, or else of the machine. */
  readonly memory: number | undefined;
  /** Whether a container sets the limit. */
  readonly isContainer: boolean;
  readonly openFiles: number | undefined;
}

/** Asks the system. */
export function thisMachine(): Machine {
  const limit = firstNumber(["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]);
  const { total } = Deno.systemMemoryInfo();
  const isContainer = limit !== undefined && limit < total;
  const files = /^Max open files\s+(\d+)/m.exec(textOf("/proc/self/limits") ?? "")?.[1];
  return {
    cores: navigator.hardwareConcurrency,
    memory: isContainer ? limit : total,
    isContainer,
    openFiles: files === undefined ? undefined : Number(files),
  };
}

function firstNumber(paths: readonly string[]): number | undefined {
  for (const path of paths) {
    const number = Number.parseInt(textOf(path) ?? "", 10);
    if (number > 0) return number;
  }
  return undefined;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** How many threads a service may have: one more than its `maxWorkers` while one of them is renewed. */
function mostThreads({ maxWorkers, limits: { maxCalls, maxAge, softHeapLimit } }: ServiceSettings): number {
  return maxWorkers + ((maxCalls ?? maxAge ?? softHeapLimit) === undefined ? 0 : 1);
}

/**
 * Looks at cores, memory and open files.
 *
 * @param services The settings of each service; undefined if the configuration cannot be read.
 * @param processes How many processes serve them.
 */
export function machineCheck(
  services: readonly ServiceSettings[] | undefined,
  processes: number,
  { cores, memory, isContainer, openFiles }: Machine = thisMachine(),
): Check {
  return (found) => {
    found.ok(`${cores} ${cores === 1 ? "core" : "cores"}`);
    if (memory !== undefined && services !== undefined) {
      const threads = services.reduce((sum, settings) => sum + mostThreads(settings), 0);
      const heap = Math.max(...services.map(({ limits }) => limits.heapLimit ?? DEFAULT_HEAP));
      const supervisor = processes === 1 ? 0 : SUPERVISOR_COST;
      const ownProcesses = services.filter((settings) => isolationOf(settings) === "process").length;
      const bare = supervisor +
        processes * (MAIN_COST + ownProcesses * OWN_PROCESS_COST + threads * THREAD_COST);
      const own = `${Math.round(memory / MIB)} MiB of memory${isContainer ? " in this container" : ""}`;
      const each = processes === 1 ? "" : ` in each of ${processes} processes`;
      const cost =
        `${threads} ${threads === 1 ? "thread" : "threads"} (max_workers)${each} may take ${bare} ` +
        "MiB before they hold any data";
      const wayOut = processes === 1 ? "Lower max_workers" : "Lower max_workers or processes";
      if (bare * MIB > memory * MOST_BARE) found.problem(`${own}: ${cost}. ${wayOut}`);
      else if (heap * MIB > memory) {
        found.warn(
          `${own}: ${cost}, and one thread may take ${heap} MiB, at which the system would end the whole ` +
            `process. Lower heap_limit below ${Math.max(16, Math.floor((memory / MIB - MAIN_COST) / 2))}`,
        );
      } else found.ok(`${own}: ${cost}, and each up to ${heap} MiB of heap`);
    }
    if (openFiles === undefined) return;
    if (openFiles < FEW_FILES) {
      found.warn(
        `${openFiles} open files and connections are few for a server. Raise the limit with ulimit -n 65536`,
      );
    } else found.ok(`Up to ${openFiles} open files and connections`);
  };
}
