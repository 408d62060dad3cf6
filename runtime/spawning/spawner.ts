import { within } from "../waiting/abort.ts";
import { Claims } from "../channel/claims.ts";
import type { ComingThreadModule, HostPort } from "../channel/port.ts";

/** A running thread, of whatever kind. */
export interface Thread {
  readonly port: HostPort;
  /** Resolves once, with the reason, when the thread is gone or can be counted as gone. */
  readonly ended: Promise<string>;
  /** Ends it soon, whatever it is doing, as far as its kind can. */
  kill(): void;
}

/** What every kind of thread is given. */
export interface ThreadOptions {
  /** Unique in the process; shows in stack traces and logs, such as `greeting#1`. */
  readonly name: string;
  readonly claims: SharedArrayBuffer;
}

/**
 * Makes threads of one kind that evaluate one module under one set of permissions.
 *
 * Disposing it ends its threads.
 */
export interface ThreadSpawner extends AsyncDisposable {
  spawn(options: ThreadOptions): Thread;
}

/**
 * Kinds of threads: node threads under a warden (sandboxed and killable, 0.55 s to spawn), node threads of the
 * main thread (all its permissions, killable, 25 ms), web Workers (sandboxed, 10 ms, but one that spins cannot
 * be stopped on Deno 2.8 and later), and none (for tests and debugging).
 */
export type ThreadKind = "warden" | "node" | "web" | "inline";

/** Milliseconds that a killed thread may take to be gone. */
const KILL_LIMIT = 3_000;

/** Milliseconds that a thread may take to end by itself before it is interrupted. */
const FORCE_AFTER = 250;

/** The same for a thread that is loading its module. */
const FORCE_LOADING_AFTER = 2_000;

/**
 * Asks a thread to end, and interrupts it only when it does not: `interrupt` is `terminate()` of a node thread.
 *
 * Deno 2.9 panics, and with it the whole process, when it is interrupted while it loads a module, or a built-in
 * module for the first time. A thread that does so gets back to its event loop and ends there; one that spins
 * does not, and is in code of its own when it is interrupted.
 */
export function askThenInterrupt(
  { port, ended }: Pick<Thread, "port" | "ended">,
  claims: SharedArrayBuffer,
  interrupt: () => void,
): void {
  const state = new Claims(claims);
  const latest = performance.now() + FORCE_LOADING_AFTER;
  port.postMessage({ type: "end" });
  const timer = setInterval(() => {
    if (state.loaded || performance.now() >= latest) interrupt();
  }, FORCE_AFTER);
  void ended.then(() => clearInterval(timer));
}

/** Has a thread load a module, as soon as that is ready. */
export async function loadInto(port: HostPort, module: ComingThreadModule): Promise<void> {
  try {
    port.postMessage({ type: "load", module: await module });
  } catch {
    // Whoever prepares the module hears of it, and ends the thread.
  }
}

/** Ends threads, and waits until they are gone, but not longer than a killed thread may take. */
export async function killAll(threads: readonly Thread[]): Promise<void> {
  for (const thread of threads) thread.kill();
  await within(KILL_LIMIT, Promise.all(threads.map(({ ended }) => ended)));
}

/** The entry modules of threads, which nothing imports: whoever packs the runtime has to name them. */
export const THREAD_ENTRIES = {
  /** Of a service's thread. */
  thread: import.meta.resolve("../thread/main.ts"),
  /** Of the web Worker that owns a restricted service's threads. */
  warden: import.meta.resolve("./warden.ts"),
} as const;
