/**
 * The entry module of a warden: the web Worker that carries a service's permissions and owns its node threads.
 *
 * A web Worker can be restricted but not stopped while it spins; a node thread can be stopped but has its
 * creator's permissions. So the node threads are created in here. Their ports lead straight to main: no call
 * passes through the warden.
 */
import type { Worker as NodeWorker } from "node:worker_threads";
import { createNodeWorker } from "./node_worker.ts";
import type { ThreadBirth, WorkerScope } from "../channel/thread_channel.ts";

/** Main to warden. */
export type ToWarden =
  | {
    readonly type: "spawn";
    readonly id: number;
    readonly name: string;
    readonly birth: ThreadBirth;
    readonly heapLimit: number;
  }
  | { readonly type: "kill"; readonly id: number };

/** Warden to main. */
export type FromWarden = { readonly type: "ended"; readonly id: number; readonly reason: string };

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
