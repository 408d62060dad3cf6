import { ignoreDebuggerSignal } from "../permissions/debugger_signal.ts";
import { THREAD_ENTRIES } from "../program/thread_entries.ts";
import {
  loadInto,
  type Thread,
  type ThreadGrant,
  type ThreadOptions,
  type ThreadSpawner,
} from "./spawner.ts";
import { createThreadChannel, type ThreadBirth } from "../channel/thread_channel.ts";
import type { ComingThreadModule } from "../channel/port.ts";

/** Options of {@linkcode WebThreads}. */
export interface WebThreadsOptions extends ThreadGrant {
  /** Permissions of the threads, including reads of the module's own files, which they load by themselves. */
  readonly permissions: Deno.PermissionOptionsObject | "inherit";
}

/** Plain web Workers: quick to spawn and sandboxed, but Deno 2.8 and later cannot stop one that spins. */
export class WebThreads implements ThreadSpawner {
  readonly #module: ComingThreadModule;
  readonly #permissions: Deno.PermissionOptions;
  readonly #grant: ThreadGrant;
  readonly #debuggerSignal = ignoreDebuggerSignal();

  constructor(module: ComingThreadModule, { permissions, ...grant }: WebThreadsOptions) {
    this.#module = module;
    this.#grant = grant;
    this.#permissions = permissions;
  }

  spawn({ name, claims }: ThreadOptions): Thread {
    const { host, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const worker = new Worker(THREAD_ENTRIES.thread, {
      type: "module",
      name,
      deno: { permissions: this.#permissions },
    });
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(event.message);
    };
    const birth: ThreadBirth = { channel, claims };
    worker.postMessage(birth, [channel.port]);
    void loadInto(host, this.#module, this.#grant);
    return {
      port: host,
      ended,
      kill: () => {
        worker.terminate();
        resolve("it was terminated");
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#debuggerSignal[Symbol.dispose]();
    return Promise.resolve();
  }
}
