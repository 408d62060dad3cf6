/**
 * Finds in Linux's `/proc` the processes that a process has started.
 *
 * One whose parent has ended belongs to nobody's tree any more. So limits of a tree keep a service from taking the whole
 * machine by mistake, and are no wall against one that hides its processes.
 */

/**
 * Ends the processes that a process has started, and stops that process itself.
 *
 * It stops them all before it ends any: the children of one that has ended cannot be found any more, and one that runs
 * starts others meanwhile.
 */
export function killDescendants(pid: number): void {
  const stopped = new Set<number>();
  for (let found = [pid]; found.length > 0;) {
    for (const each of found) {
      signal(each, "SIGSTOP");
      stopped.add(each);
    }
    found = [...stopped].flatMap((each) => childrenOf(each)).filter((each) => !stopped.has(each));
  }
  stopped.delete(pid);
  for (const each of stopped) signal(each, "SIGKILL");
}

/** Names the threads of a process. */
export function threadsOf(pid: number): readonly string[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => name);
  } catch {
    // It has just ended.
    return [];
  }
}

/** Returns the ids of the processes that threads of a process have started and that have not ended. */
export function childrenOf(pid: number, threads = threadsOf(pid)): readonly number[] {
  return threads.flatMap((thread) =>
    (procText(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number)
  );
}

/** Reads a file of `/proc`. Gives undefined if what it tells of has ended, or the system has no such file. */
export function procText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended, or this program may not end it.
  }
}
