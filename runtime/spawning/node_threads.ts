import type { Worker } from "node:worker_threads";
import { createNodeWorker } from "./node_worker.ts";
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
export interface NodeThreadsOptions extends Omit<ThreadGrant, "rights"> {
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit: number;
}

/** Node threads that the main thread creates, for services that have all its permissions. */
export class NodeThreads implements ThreadSpawner {
  readonly #module: ComingThreadModule;
  readonly #heapLimit: number;
  readonly #grant: ThreadGrant;
  readonly #threads = new Set<Thread>();

  constructor(module: ComingThreadModule, { heapLimit, ...grant }: NodeThreadsOptions) {
    this.#module = module;
    this.#heapLimit = heapLimit;
    this.#grant = grant;
  }

  spawn({ name, claims }: ThreadOptions): Thread {
    const { host, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const worker: Worker = createNodeWorker(
      name,
      { channel, claims },
      this.#heapLimit,
      resolve,
    );
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
