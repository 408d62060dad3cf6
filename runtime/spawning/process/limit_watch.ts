import { CPU_WINDOW, CpuWindow } from "./cpu_window.ts";
import type { ProcessLimits } from "./process_limits.ts";
import { residentOf, treeUsage } from "./process_usage.ts";

/** Milliseconds between two looks at a process. */
const INTERVAL = 250;

const MEBIBYTE = 1_048_576;

/** Tasks that are looked at of a process that may have any number of them. */
const MOST_TASKS = 1_000;

/**
 * Looks at what a process uses, until the watch is disposed.
 *
 * The system has limits that bind by themselves, but none of them fits. That of memory is one of addresses, of which V8
 * reserves far more than it uses. That of processor time counts what a process has ever used. That of processes counts
 * those of the user, and root has none.
 *
 * @param pid Id of the process.
 * @param onExceeded Called once, with a reason, when the process uses more than one of the limits.
 * @returns Undefined if there is nothing to look at.
 */
export function watchLimits(
  pid: number,
  { memoryLimit, cpuLimit, taskLimit }: ProcessLimits,
  onExceeded: (reason: string) => void,
): Disposable | undefined {
  const checks = [
    ...(memoryLimit === undefined ? [] : [memoryCheck(pid, memoryLimit)]),
    ...(cpuLimit === undefined && taskLimit === undefined ? [] : [treeCheck(pid, { cpuLimit, taskLimit })]),
  ];
  if (checks.length === 0) return undefined;
  const timer = setInterval(() => {
    for (const check of checks) {
      const reason = check();
      if (reason === undefined) continue;
      clearInterval(timer);
      return onExceeded(reason);
    }
  }, INTERVAL);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Says why a process has to end, or nothing. */
type Check = () => string | undefined;

function memoryCheck(pid: number, limit: number): Check {
  return () => {
    const used = residentOf(pid);
    if (used === undefined || used <= limit * MEBIBYTE) return undefined;
    return `its process used ${Math.round(used / MEBIBYTE)} MiB of memory, and may have ${limit}. ` +
      "Raise memory_limit, or keep less";
  };
}

function treeCheck(
  pid: number,
  { cpuLimit, taskLimit }: { readonly [Name in "cpuLimit" | "taskLimit"]: number | undefined },
): Check {
  const window = cpuLimit === undefined ? undefined : new CpuWindow(cpuLimit, performance.now());
  return () => {
    const usage = treeUsage(pid, taskLimit ?? MOST_TASKS);
    if (taskLimit !== undefined && usage.tasks > taskLimit) {
      return `its process had more than ${taskLimit} threads, with the processes that it has started. ` +
        "Raise task_limit, or start fewer";
    }
    if (window?.isExceeded(performance.now(), usage.cpuTime) !== true) return undefined;
    return `its process used more than ${cpuLimit} cores over ${
      CPU_WINDOW / 1_000
    } s, with the processes that it ` +
      "has started. Raise cpu_limit, or compute less";
  };
}
