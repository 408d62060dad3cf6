/**
 * This folder holds the threads of a process of the service's own: how the process is started, what it and the main
 * thread tell each other, and what runs in it beside the threads. This file has their spawner.
 */
import type { ComingThreadModule } from "../../channel/port.ts";
import { ignoreDebuggerSignal } from "../../permissions/debugger_signal.ts";
import {
  killAll,
  loadInto,
  type ProcessEvents,
  type Thread,
  type ThreadGrant,
  type ThreadOptions,
  type ThreadPlace,
  type ThreadSpawner,
} from "../spawner.ts";
import type { ProcessCommand } from "./process_command.ts";
import type { ProcessLimits } from "./process_limits.ts";
import { ServiceProcess } from "./service_process.ts";

/** Milliseconds after which a process counts as one that does not crash soon. */
const STEADY = 60_000;

/** Crashes in a row after which the service is given up. */
const MOST_CRASHES = 5;

/** The shortest and the longest wait before a process starts that has crashed more than once, in milliseconds. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;

/** Options of {@linkcode ProcessThreads}. */
export interface ProcessThreadsOptions extends ThreadGrant {
  /** Gives the command for a process that finds the main thread at a socket. */
  readonly command: (socket: string) => ProcessCommand;
  /** Where else its socket can be made, if the folder for temporary files takes none. @default {nowhere} */
  readonly furtherFolders?: readonly string[];
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit: number;
  /** What the process may use. Its command sets the limit of open files. @default {no limits} */
  readonly limits?: ProcessLimits;
}

/** Node threads of a process of the service's own: sandboxed, possible to stop, and walled off from other services. */
export class ProcessThreads implements ThreadSpawner {
  processEvents: ProcessEvents = { onOutput() {}, onEnd() {}, onCrashLoop() {} };
  readonly #module: ComingThreadModule;
  readonly #command: ProcessThreadsOptions["command"];
  readonly #furtherFolders: readonly string[];
  readonly #heapLimit: number;
  readonly #limits: ProcessLimits;
  readonly #grant: ThreadGrant;
  readonly #threads = new Set<Thread>();
  /** A service that may signal the main process must not open its debugger. */
  readonly #debuggerSignal: Disposable | undefined;
  #process: ServiceProcess | undefined;
  /** Crashes in a row, each soon after the start. */
  #crashes = 0;
  /** Time at which the process may start again. */
  #notBefore = 0;
  #isDisposed = false;

  constructor(
    module: ComingThreadModule,
    { command, furtherFolders = [], heapLimit, limits = {}, ...grant }: ProcessThreadsOptions,
  ) {
    this.#module = module;
    this.#command = command;
    this.#furtherFolders = furtherFolders;
    this.#heapLimit = heapLimit;
    this.#limits = limits;
    this.#grant = grant;
    this.#debuggerSignal = grant.rights && ignoreDebuggerSignal();
  }

  get place(): ThreadPlace {
    const process = this.#process;
    return { isolation: "process", ...(process?.isAlive && { ownPid: process.pid }) };
  }

  get notBefore(): number {
    return this.#notBefore;
  }

  spawn(options: ThreadOptions): Thread {
    const wait = this.#notBefore - performance.now();
    if (wait > 0) return endedThread(`its process has crashed, and starts again in ${Math.ceil(wait)} ms`);
    const process = this.#living();
    if (typeof process === "string") return endedThread(process);
    const thread = process.spawn(options, this.#heapLimit);
    this.#threads.add(thread);
    void thread.ended.then(() => this.#threads.delete(thread));
    void loadInto(thread.port, this.#module, this.#grant);
    return thread;
  }

  /** Ends the threads, then the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await killAll([...this.#threads]);
    await this.#process?.end("it was stopped");
    await this.#process?.ended;
    this.#debuggerSignal?.[Symbol.dispose]();
  }

  /** Gives the process, which it starts if there is none, or the reason why the system starts none. */
  #living(): ServiceProcess | string {
    if (this.#process?.isAlive) return this.#process;
    const startedAt = performance.now();
    try {
      return this.#process = new ServiceProcess({
        command: this.#command,
        furtherFolders: this.#furtherFolders,
        limits: this.#limits,
        onOutput: (lines) => this.processEvents.onOutput(lines),
        onEnd: (reason) => {
          this.processEvents.onEnd();
          this.#crashed(reason, startedAt);
        },
      });
    } catch (error) {
      const reason = `its process could not be started: ${(error as Error).message}`;
      this.#crashed(reason, startedAt);
      return reason;
    }
  }

  #crashed(reason: string, startedAt: number): void {
    if (this.#isDisposed) return;
    const now = performance.now();
    this.#crashes = now - startedAt < STEADY ? this.#crashes + 1 : 1;
    // The first crash may have been the only one.
    if (this.#crashes > 1) {
      this.#notBefore = now + Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (this.#crashes - 2));
    }
    if (this.#crashes !== MOST_CRASHES) return;
    this.processEvents.onCrashLoop(
      `its process has crashed ${MOST_CRASHES} times, each within ${
        STEADY / 1_000
      } s of its start. The last time, ${reason}`,
    );
  }
}

function endedThread(reason: string): Thread {
  const port = { onmessage: null, onfault: null, postMessage() {}, close() {} };
  return { port, ended: Promise.resolve(reason), kill() {} };
}
