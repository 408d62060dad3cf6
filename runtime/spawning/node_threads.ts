import { createNodeWorker, type StartThread } from "./node_worker.ts";
import {
  askThenInterrupt,
  killAll,
  loadInto,
  type Thread,
  type ThreadGrant,
  type ThreadOptions,
  type ThreadSpawner,
} from "./spawner.ts";
import { createThreadChannel } from "../channel/thread_channel.ts";
import type { ComingThreadModule } from "../channel/port.ts";

/** Options of {@linkcode NodeThreads}. */
export interface NodeThreadsOptions extends ThreadGrant {
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit: number;
  /** Starts a thread. @default {a thread that has all permissions of this one} */
  readonly start?: StartThread;
}

/** Node threads: possible to stop, and with the permissions of the thread that starts them. */
export class NodeThreads implements ThreadSpawner {
  readonly #module: ComingThreadModule;
  readonly #heapLimit: number;
  readonly #grant: ThreadGrant;
  readonly #start: StartThread;
  readonly #threads = new Set<Thread>();

  constructor(
    module: ComingThreadModule,
    { heapLimit, start = createNodeWorker, ...grant }: NodeThreadsOptions,
  ) {
    this.#module = module;
    this.#start = start;
    this.#heapLimit = heapLimit;
    this.#grant = grant;
  }

  spawn({ name, claims }: ThreadOptions): Thread {
    const { host, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const worker = this.#start(name, { channel, claims }, this.#heapLimit, resolve);
    const thread: Thread = {
      port: host,
      ended,
      kill: () => askThenInterrupt(thread, claims, () => void worker.terminate()),
    };
    this.#threads.add(thread);
    void loadInto(host, this.#module, this.#grant);
    void ended.then(() => this.#threads.delete(thread));
    return thread;
  }

  /** Ends the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    await killAll([...this.#threads]);
  }
}
