import { ignoreDebuggerSignal } from "../permissions/debugger_signal.ts";
import { loadInto, type Thread, THREAD_ENTRIES, type ThreadOptions, type ThreadSpawner } from "./spawner.ts";
import { createThreadChannel, type ThreadBirth } from "../channel/thread_channel.ts";
import type { ComingThreadModule, InnerRights } from "../channel/port.ts";

/** Options of {@linkcode WebThreads}. */
export interface WebThreadsOptions {
  /** Permissions of the threads, including reads of the module's own files, which they load by themselves. */
  readonly permissions: Deno.PermissionOptionsObject | "inherit";
  /** Absent with all permissions. */
  readonly rights?: InnerRights;
}

/** Plain web Workers: quick to spawn and sandboxed, but Deno 2.8 and later cannot stop one that spins. */
export class WebThreads implements ThreadSpawner {
  readonly #module: ComingThreadModule;
  readonly #permissions: Deno.PermissionOptions;
  readonly #rights: InnerRights | undefined;
  readonly #debuggerSignal = ignoreDebuggerSignal();

  constructor(module: ComingThreadModule, { permissions, rights }: WebThreadsOptions) {
    this.#module = module;
    this.#rights = rights;
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
    void loadInto(host, this.#module, this.#rights);
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
