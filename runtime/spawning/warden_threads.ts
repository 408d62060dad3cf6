import { ignoreDebuggerSignal } from "../permissions/debugger_signal.ts";
import {
  askThenInterrupt,
  killAll,
  loadInto,
  type Thread,
  THREAD_ENTRIES,
  type ThreadGrant,
  type ThreadOptions,
  type ThreadSpawner,
} from "./spawner.ts";
import type { ComingThreadModule } from "../channel/port.ts";
import { createThreadChannel } from "../channel/thread_channel.ts";
import type { FromWarden, ToWarden } from "./warden.ts";

/** Options of {@linkcode WardenThreads}. */
export interface WardenThreadsOptions extends ThreadGrant {
  readonly name: string;
  /** Permissions of the threads, including reads of the module's own files, which they load by themselves. */
  readonly permissions: Deno.PermissionOptions;
  /** Mebibytes of JavaScript heap for each thread. */
  readonly heapLimit: number;
}

interface Ward {
  readonly thread: Thread;
  readonly end: (reason: string) => void;
}

/** Node threads inside one restricted web Worker: sandboxed, but still possible to stop when they spin. */
export class WardenThreads implements ThreadSpawner {
  readonly #warden: Worker;
  readonly #wards = new Map<number, Ward>();
  readonly #module: ComingThreadModule;
  readonly #grant: ThreadGrant;
  readonly #heapLimit: number;
  readonly #debuggerSignal: Disposable;
  #lastId = 0;

  constructor(
    module: ComingThreadModule,
    { name, permissions, heapLimit, ...grant }: WardenThreadsOptions,
  ) {
    this.#module = module;
    this.#grant = grant;
    this.#heapLimit = heapLimit;
    this.#warden = new Worker(THREAD_ENTRIES.warden, {
      type: "module",
      name: `${name} warden`,
      deno: { permissions },
    });
    this.#debuggerSignal = ignoreDebuggerSignal();
    this.#warden.onmessage = ({ data }: MessageEvent<FromWarden>) => this.#end(data.id, data.reason);
    this.#warden.onerror = (event) => {
      event.preventDefault();
      for (const id of [...this.#wards.keys()]) this.#end(id, `its warden died: ${event.message}`);
    };
  }

  spawn({ name, claims }: ThreadOptions): Thread {
    const id = ++this.#lastId;
    const { host: port, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const kill = () => askThenInterrupt({ port, ended }, claims, () => this.#post({ type: "kill", id }));
    const ward: Ward = { thread: { port, ended, kill }, end: resolve };
    this.#wards.set(id, ward);
    const birth = { channel, claims };
    this.#post({ type: "spawn", id, name, birth, heapLimit: this.#heapLimit }, [channel.port]);
    void loadInto(port, this.#module, this.#grant);
    return ward.thread;
  }

  /** Ends the threads, then the warden, because without the warden nobody could end its threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    await killAll([...this.#wards.values()].map(({ thread }) => thread));
    this.#warden.terminate();
    this.#debuggerSignal[Symbol.dispose]();
    for (const id of [...this.#wards.keys()]) this.#end(id, "its warden was terminated");
  }

  #post(message: ToWarden, transfer: Transferable[] = []): void {
    this.#warden.postMessage(message, transfer);
  }

  #end(id: number, reason: string): void {
    const ward = this.#wards.get(id);
    this.#wards.delete(id);
    ward?.end(reason);
  }
}
