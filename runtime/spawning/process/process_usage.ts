/** Tells from Linux's `/proc` what a process uses. */
import { childrenOf, procText, threadsOf } from "./process_tree.ts";

/** What one process uses. */
export interface ProcessUsage {
  /** Bytes of memory. */
  readonly resident: number;
  /** Milliseconds of processor time that it has used, and those of its children that have ended. */
  readonly cpuTime: number;
}

/** What a process and those that it has started use together. */
export interface TreeUsage {
  /** Threads of all these processes. */
  readonly tasks: number;
  /** Milliseconds of processor time that they have used, and those of them that have ended. */
  readonly cpuTime: number;
}

/** Milliseconds in a tick of `/proc`, whatever ticks the kernel itself has. */
const TICK = 10;

/** Returns the resident bytes of a process; undefined if it has ended, or the system does not tell. */
export function residentOf(pid: number): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(procText(`/proc/${pid}/status`) ?? "")?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
}

/** Returns what a process uses; undefined if it has ended, or the system does not tell. */
export function processUsage(pid: number): ProcessUsage | undefined {
  const resident = residentOf(pid);
  const ticks = ticksOf(pid);
  return resident === undefined || ticks === undefined ? undefined : { resident, cpuTime: ticks * TICK };
}

/**
 * Adds up what a process and those that it has started use. A parent is read before its children: the time of a child
 * that ends becomes time of its parent, and so never counts twice.
 *
 * @param most Number of tasks after which no further processes are looked at.
 */
export function treeUsage(pid: number, most: number): TreeUsage {
  let [tasks, ticks] = [0, 0];
  const pids = [pid];
  for (const each of pids) {
    const used = ticksOf(each);
    if (used === undefined) continue;
    ticks += used;
    const threads = threadsOf(each);
    // One that has ended and that nobody has waited for has no threads, but still is a task.
    tasks += Math.max(1, threads.length);
    if (tasks > most) break;
    pids.push(...childrenOf(each, threads));
  }
  return { tasks, cpuTime: ticks * TICK };
}

/** The ticks of a process and of those of its children that it has waited for. */
function ticksOf(pid: number): number | undefined {
  // The name of the program, in parentheses, may have anything in it.
  const fields = /^.*\) (.*)$/s.exec(procText(`/proc/${pid}/stat`) ?? "")?.[1]?.split(" ");
  return fields?.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}
