/**
 * This folder holds how a thread of each kind begins and ends.
 *
 * This file has the interfaces of a thread and of the spawner that makes it. It also has the steps that
 * several kinds share: to load a module into a thread, and to end a thread.
 */
import type { Clock } from "../waiting/clock.ts";
import { within } from "../waiting/abort.ts";
import { Claims } from "../channel/claims.ts";
import type { ComingThreadModule, HostPort, InnerRights } from "../channel/port.ts";

/** What a thread learns of its service before it loads the module. */
export interface ThreadGrant {
  /** Absent with all permissions. */
  readonly rights?: InnerRights;
  /** Environment variables of the service's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running thread of any kind. */
export interface Thread {
  readonly port: HostPort;
  /** Resolves once, with the reason, when the thread has ended or counts as ended. */
  readonly ended: Promise<string>;
  /** Ends the thread soon, whatever it is doing, as far as its kind allows that. */
  kill(): void;
  /**
   * Asks for calls that the thread may not have started. Absent if the claims always say which calls have started.
   *
   * @param onAnswer Called once with the slots of those that it will not start. Their claims say so then. The claims also
   * say so when the thread has ended, and then `onAnswer` may get nothing.
   */
  readonly recall?: (slots: readonly number[], onAnswer: (back: ReadonlySet<number>) => void) => void;
}

/** Options of a thread of any kind. */
export interface ThreadOptions {
  /** Name of the thread, unique in the process, such as `greeting#1`. Stack traces and logs show it. */
  readonly name: string;
  readonly claims: SharedArrayBuffer;
}

/**
 * Makes threads of one kind that evaluate one module under one set of permissions.
 *
 * Disposing a spawner ends its threads.
 */
export interface ThreadSpawner extends AsyncDisposable {
  spawn(options: ThreadOptions): Thread;
  /** The clock that the calls in its threads go by. @default {the clock of the machine} */
  readonly clock?: Clock | undefined;
  /** Where the threads are. @default {they are threads of this process} */
  readonly place?: ThreadPlace;
  /** Time before which each thread ends at once, as `performance.now()` gives it. @default {none does} */
  readonly notBefore?: number;
  /** Learns of the process of the threads, if they have one of their own. @default {nobody wants to know} */
  processEvents?: ProcessEvents;
}

/** Where the threads of a service are. */
export interface ThreadPlace {
  /** Whether they are threads of this process, those of a process of the service's own, or none at all. */
  readonly isolation: "threads" | "process" | "inline";
  /** Id of the process of the service's own, while it runs. */
  readonly ownPid?: number;
}

/** What happens to the process of a service's threads. */
export interface ProcessEvents {
  /** The process has written lines to stdout or stderr. */
  readonly onOutput: (lines: string) => void;
  /** The process has ended, after the last lines that it has written. */
  readonly onEnd: () => void;
  /** The process has crashed so often that it should not be started again. */
  readonly onCrashLoop: (reason: string) => void;
}

/**
 * Kinds of threads.
 *
 * - `warden`: node threads under a warden. They are sandboxed and killable, and spawn in 0.55 s.
 * - `node`: node threads of the main thread. They have all its permissions, are killable and spawn in 25 ms.
 * - `web`: web Workers. They are sandboxed and spawn in 10 ms, but Deno 2.8 and later cannot stop a web
 *   Worker that spins.
 * - `process`: node threads of a process of the service's own. They are sandboxed, killable and walled off.
 * - `inline`: no threads, for tests and debugging.
 */
export type ThreadKind = "process" | "warden" | "node" | "web" | "inline";

/** Milliseconds that a killed thread may take to end. */
export const KILL_LIMIT = 3_000;

/** Milliseconds that a thread may take to end by itself before it is interrupted. */
const FORCE_AFTER = 250;

/** Milliseconds that a thread may take to end by itself while it loads its module. */
const FORCE_LOADING_AFTER = 2_000;

/**
 * Asks a thread to end, and interrupts the thread only if it does not end by itself.
 *
 * Deno 2.9 panics, and the whole process ends, when a thread is interrupted while it loads a module, or while
 * it loads a built-in module for the first time. A thread that is loading gets back to its event loop and
 * ends there. A thread that spins does not get back, and runs code of its own when it is interrupted.
 *
 * @param interrupt Calls `terminate()` of the node thread.
 */
export function askThenInterrupt(
  { port, ended }: { readonly port: Pick<HostPort, "postMessage">; readonly ended: Promise<string> },
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

/** Makes a thread load a module, as soon as the module is ready. */
export async function loadInto(
  port: HostPort,
  module: ComingThreadModule,
  { rights, env }: ThreadGrant = {},
): Promise<void> {
  try {
    port.postMessage({ type: "load", module: await module, rights, env });
  } catch {
    // The code that prepares the module gets the same error, and ends the thread.
  }
}

/** Ends threads, and waits until they have ended, but not longer than a killed thread may take to end. */
export async function killAll(threads: readonly Thread[]): Promise<void> {
  for (const thread of threads) thread.kill();
  await within(KILL_LIMIT, Promise.all(threads.map(({ ended }) => ended)));
}
