/** Milliseconds between two looks at the memory of a process. */
const INTERVAL = 250;

const MEBIBYTE = 1_048_576;

/**
 * Looks at the resident memory of a process, all of it, until the watch is disposed.
 *
 * @param pid Id of the process.
 * @param limit Mebibytes that it may have.
 * @param onExceeded Called once, with a reason, when it has more.
 */
export function watchMemory(pid: number, limit: number, onExceeded: (reason: string) => void): Disposable {
  const timer = setInterval(() => {
    const used = residentOf(pid);
    if (used === undefined || used <= limit * MEBIBYTE) return;
    clearInterval(timer);
    onExceeded(
      `its process used ${
        Math.round(used / MEBIBYTE)
      } MiB of memory, and may have ${limit}. Raise memory_limit, ` +
        "or keep less",
    );
  }, INTERVAL);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Returns the resident bytes of a process; undefined if it has ended, or the system does not tell. */
export function residentOf(pid: number): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
  } catch {
    return undefined;
  }
}
