/**
 * The entry module of a warden: the web Worker that has a service's permissions and owns its node threads.
 *
 * A web Worker can be restricted, but it cannot be stopped while it spins. A node thread can be stopped, but
 * it has its creator's permissions. So the warden creates the node threads. Their ports lead straight to the
 * main thread: no call passes through the warden.
 */
import type { Worker as NodeWorker } from "node:worker_threads";
import { createNodeWorker } from "./node_worker.ts";
import type { ThreadBirth, WorkerScope } from "../channel/thread_channel.ts";

/** A message from the main thread to the warden. */
export type ToWarden =
  | {
    readonly type: "spawn";
    readonly id: number;
    readonly name: string;
    readonly birth: ThreadBirth;
    readonly heapLimit: number;
  }
  | { readonly type: "kill"; readonly id: number };

/** A message from the warden to the main thread. The first one says that the warden has loaded its modules. */
export type FromWarden =
  | { readonly type: "ready" }
  | { readonly type: "ended"; readonly id: number; readonly reason: string };

const threads = new Map<number, NodeWorker>();

const scope = globalThis as unknown as WorkerScope<ToWarden, FromWarden>;

scope.onmessage = ({ data }) => {
  if (data.type === "kill") {
    void threads.get(data.id)?.terminate();
    return;
  }
  const { id, name, birth, heapLimit } = data;
  threads.set(
    id,
    createNodeWorker(name, birth, heapLimit, (reason) => {
      threads.delete(id);
      scope.postMessage({ type: "ended", id, reason });
    }),
  );
};

scope.postMessage({ type: "ready" });
