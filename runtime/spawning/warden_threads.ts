import type { ComingThreadModule } from "../channel/port.ts";
import { NodeThreads } from "./node_threads.ts";
import type { Thread, ThreadGrant, ThreadOptions, ThreadSpawner } from "./spawner.ts";
import { Wards } from "./wards.ts";

/** Options of {@linkcode WardenThreads}. */
export interface WardenThreadsOptions extends ThreadGrant {
  readonly name: string;
  /** Permissions of the threads, including reads of the module's own files, which they load by themselves. */
  readonly permissions: Deno.PermissionOptions;
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit: number;
}

/** Node threads inside one restricted web Worker: sandboxed, but still possible to stop when they spin. */
export class WardenThreads implements ThreadSpawner {
  readonly #wards: Wards;
  readonly #threads: NodeThreads;

  constructor(module: ComingThreadModule, { name, permissions, ...options }: WardenThreadsOptions) {
    this.#wards = new Wards(`${name} warden`, permissions);
    this.#threads = new NodeThreads(module, { ...options, start: this.#wards.start });
  }

  spawn(options: ThreadOptions): Thread {
    return this.#threads.spawn(options);
  }

  /** Ends the threads, then the warden. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
    this.#wards[Symbol.dispose]();
  }
}
