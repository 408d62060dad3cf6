/**
 * Several processes that serve the same, and what keeps them running.
 *
 * The first process starts alone: whatever is wrong with the configuration, the modules or the ports is told once, by
 * it. A process that ends without being told is started again, after a delay that grows. A restart puts one process
 * after the other in the place of an old one, which goes on until the new one serves.
 */
import { pause, within } from "../../../runtime/waiting/abort.ts";
import { growingDelay } from "../../../runtime/waiting/growing_delay.ts";
import { getLog } from "../../../runtime/log/observe.ts";
import type { ReadyReport } from "../view/ready_report.ts";
import { Child, type ProcessOutput, type ProcessProgram } from "./child.ts";

/** Options of {@linkcode Supervisor}. */
export interface SupervisorOptions {
  readonly program: ProcessProgram;
  /** How many processes serve, at least 1. */
  readonly processes: number;
  /** A folder of its own. */
  readonly folder: string;
  readonly output: ProcessOutput;
  /** Milliseconds that a process may take to stop. */
  readonly grace: number;
  readonly colors: boolean;
}

/** How long a process waits that is started again, in milliseconds. */
const AGAIN = { first: 500, longest: 30_000 };

/** Milliseconds that a process may take to stop, beside its `grace`, before it is killed. */
const STOP_MARGIN = 10_000;

/** Starts processes, and keeps them running until they are told to stop. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** The process in each place. */
  readonly #places: Child[] = [];
  /** All processes that run, also those that leave. */
  readonly #children = new Set<Child>();
  /** How often the process in each place has ended without serving for long. */
  readonly #failures: number[] = [];
  readonly #stopping = new AbortController();
  /** The processes that are started again when they end. */
  readonly #kept = new Set<Child>();
  #isStarted = false;
  #status = 0;
  #restarting: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts the processes.
   *
   * @returns What the first of them tells; undefined if one has ended before it served. The others are stopped then.
   */
  async start(): Promise<ReadyReport | undefined> {
    const { processes } = this.#options;
    this.#places[0] = this.#spawn(0, false);
    const report = await this.#places[0].ready;
    if (report !== undefined && !this.#stopping.signal.aborted) {
      for (let index = 1; index < processes; index++) this.#places[index] = this.#spawn(index, false);
      const reports = await Promise.all(this.#places.map(({ ready }) => ready));
      if (!reports.includes(undefined)) {
        this.#isStarted = true;
        for (const child of this.#places) void this.#keep(child);
        return report;
      }
    }
    await this.stop();
    return undefined;
  }

  /** The process in each place. */
  get pids(): readonly number[] {
    return this.#places.map(({ pid }) => pid);
  }

  /** The worst exit status of the processes that have ended at the start or at the stop. */
  get status(): number {
    return this.#status;
  }

  /** Puts a new process in the place of each, one after the other. Never rejects. */
  restart(): Promise<void> {
    return this.#restarting = this.#restarting.then(() => this.#replaceAll());
  }

  /** Stops all processes politely, and resolves when they have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#children].map((child) => this.#end(child, "stop")));
  }

  /** Makes a stop that is under way end at once. */
  abort(): void {
    for (const child of this.#children) child.tell("abort");
  }

  /** Kills what still runs. */
  kill(): void {
    for (const child of this.#children) child.kill();
  }

  #spawn(index: number, takesOver: boolean): Child {
    const { program, folder, output, processes, colors } = this.#options;
    const isFirst = ![...this.#children].some(({ isServing }) => isServing);
    const order = { index, processes, isFirst, takesOver, colors };
    const child = new Child(program, folder, order, output);
    this.#children.add(child);
    void child.ended.then((status) => {
      this.#children.delete(child);
      if (!this.#isStarted || this.#stopping.signal.aborted) this.#status = Math.max(this.#status, status);
    });
    return child;
  }

  async #end(child: Child, command: "stop" | "leave"): Promise<void> {
    child.tell(command);
    if (await within(this.#options.grace + STOP_MARGIN, child.ended)) return;
    getLog().error(`Killed process ${child.pid}: it did not stop in time`);
    child.kill();
    await child.ended;
  }

  /** Starts a process again if it ends, unless another one has its place. Never rejects. */
  async #keep(child: Child): Promise<void> {
    if (this.#kept.has(child)) return;
    this.#kept.add(child);
    const next = await this.#startedAgain(child).finally(() => this.#kept.delete(child));
    if (next !== undefined) void this.#keep(next);
  }

  /** Resolves with the process that has the place of one that has ended; with undefined if it is not wanted. */
  async #startedAgain(child: Child): Promise<Child | undefined> {
    const { index } = child;
    const startedAt = performance.now();
    const status = await child.ended;
    const { signal } = this.#stopping;
    if (signal.aborted || this.#places[index] !== child) return undefined;
    const isLongAgo = performance.now() - startedAt > AGAIN.longest;
    const failures = this.#failures[index] = isLongAgo ? 1 : (this.#failures[index] ?? 0) + 1;
    const delay = growingDelay(failures, AGAIN);
    getLog().error(
      `Process ${child.pid} has ended with status ${status}. Starting it again in ${Math.round(delay)} ms`,
    );
    try {
      await pause(delay, signal);
    } catch {
      return undefined;
    }
    if (this.#places[index] !== child) return undefined;
    const next = this.#places[index] = this.#spawn(index, false);
    void next.ready.then((report) => {
      if (report !== undefined) getLog().info(`Process ${next.pid} serves in place of process ${child.pid}`);
    });
    return next;
  }

  async #replaceAll(): Promise<void> {
    if (!this.#isStarted) return;
    getLog().info("Restarting the processes, one after the other");
    for (const [index, old] of this.#places.entries()) {
      if (this.#stopping.signal.aborted) return;
      const next = this.#places[index] = this.#spawn(index, true);
      if (await next.ready === undefined) {
        if (this.#stopping.signal.aborted) return;
        getLog().error(
          `Cannot restart: new process ${next.pid} has ended with status ${await next
            .ended}. The old ones go on`,
        );
        this.#places[index] = old;
        void this.#keep(old);
        return;
      }
      void this.#keep(next);
      if (this.#children.has(old)) await this.#end(old, "leave");
    }
    getLog().info("All processes are new");
  }
}
