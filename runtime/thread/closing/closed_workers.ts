/**
 * Keeps a restricted service from starting Workers without the permission for that.
 *
 * Nothing is closed in a Worker that a service starts, the heap of such a Worker has no limit, and Deno 2.9
 * cannot stop one that spins. Deno asks for no permission to start it.
 */
import workerThreads from "node:worker_threads";

/** In Deno's form, so that this error is explained as Deno's errors are. */
const WORKERS_DENIED = "Requires workers access, run again with the --allow-workers flag";

/** Closes the two classes, by whatever name the service has them. */
export function closeWorkers(): void {
  for (const constructor of [globalThis.Worker, workerThreads.Worker]) {
    // The first step of both constructors is to call that of the class above.
    Object.setPrototypeOf(constructor, Denied);
    Object.freeze(constructor);
  }
}

class Denied {
  constructor() {
    throw new Deno.errors.NotCapable(WORKERS_DENIED);
  }
}
