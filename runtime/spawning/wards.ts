import { ignoreDebuggerSignal } from "../permissions/debugger_signal.ts";
import { THREAD_ENTRIES } from "../program/thread_entries.ts";
import type { StartThread } from "./node_worker.ts";
import type { FromWarden, ToWarden } from "./warden.ts";

/** The node threads of one warden, which has fewer permissions than this thread. */
export class Wards implements Disposable {
  /** Resolves when the warden has loaded its modules, for which it uses the permissions of this thread. */
  readonly ready: Promise<void>;
  readonly #warden: Worker;
  readonly #ends = new Map<number, (reason: string) => void>();
  readonly #debuggerSignal: Disposable;
  #lastId = 0;

  /** @param name Name of the warden in stack traces. */
  constructor(name: string, permissions: Deno.PermissionOptions) {
    this.#warden = new Worker(THREAD_ENTRIES.warden, { type: "module", name, deno: { permissions } });
    this.#debuggerSignal = ignoreDebuggerSignal();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    promise.catch(() => {});
    this.#warden.onmessage = ({ data }: MessageEvent<FromWarden>) => {
      if (data.type === "ready") resolve();
      else this.#end(data.id, data.reason);
    };
    this.#warden.onerror = (event) => {
      event.preventDefault();
      const reason = `its warden died: ${event.message}`;
      reject(new Error(reason));
      this.#endAll(reason);
    };
  }

  /** Starts a thread under the warden. */
  readonly start: StartThread = (name, birth, heapLimit, onEnd) => {
    const id = ++this.#lastId;
    this.#ends.set(id, onEnd);
    this.#post({ type: "spawn", id, name, birth, heapLimit }, [birth.channel.port]);
    return { terminate: () => this.#post({ type: "kill", id }) };
  };

  /** Ends the warden. Its threads must have ended before, because nobody can end them without it. */
  [Symbol.dispose](): void {
    this.#warden.terminate();
    this.#debuggerSignal[Symbol.dispose]();
    this.#endAll("its warden was terminated");
  }

  #post(message: ToWarden, transfer: Transferable[] = []): void {
    this.#warden.postMessage(message, transfer);
  }

  #end(id: number, reason: string): void {
    const end = this.#ends.get(id);
    this.#ends.delete(id);
    end?.(reason);
  }

  #endAll(reason: string): void {
    for (const id of [...this.#ends.keys()]) this.#end(id, reason);
  }
}
