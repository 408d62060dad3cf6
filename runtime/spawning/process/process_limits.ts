import { given } from "../../message/plain.ts";

/**
 * What the process of a service may use of the machine. Threads of other kinds have no such limits.
 *
 * Nobody but Linux tells what a process uses. Elsewhere, only the limit of open files has an effect.
 */
export interface ProcessLimits {
  /**
   * Mebibytes of memory for all threads together, of everything that their process needs. The process is ended if it
   * has more.
   *
   * @default {no limit}
   */
  readonly memoryLimit?: number;
  /**
   * Cores that the process may use on average over 10 seconds, such as 0.5, together with the processes that it has
   * started. It is ended if it uses more.
   *
   * @default {no limit}
   */
  readonly cpuLimit?: number;
  /**
   * Files and connections that the process may have open at a time. It cannot open more. Deno itself needs some 30, and
   * 6 for each thread.
   *
   * @default {no limit of its own}
   */
  readonly openFilesLimit?: number;
  /**
   * Tasks of the system that the process may have: its threads, and those of the processes that it has started. It is
   * ended if it has more. Deno itself needs some 20 to 40, depending on the number of cores, and one for each thread.
   *
   * @default {no limit}
   */
  readonly taskLimit?: number;
}

/** The shell that limits open files. */
export const SHELL = "/bin/sh";

/** Picks the limits of the process from among other options. */
export function processLimits(
  { memoryLimit, cpuLimit, openFilesLimit, taskLimit }: ProcessLimits,
): ProcessLimits {
  return given({ memoryLimit, cpuLimit, openFilesLimit, taskLimit });
}
