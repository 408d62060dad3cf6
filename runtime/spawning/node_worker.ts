import { SHARE_ENV, Worker } from "node:worker_threads";
import { THREAD_ENTRIES } from "../program/thread_entries.ts";
import type { ThreadBirth } from "../channel/thread_channel.ts";

/** Starts a node thread, as {@linkcode createNodeWorker} does. `terminate` interrupts the thread. */
export type StartThread = (
  ...args: Parameters<typeof createNodeWorker>
) => { readonly terminate: () => unknown };

const ENTRY = entryOf(THREAD_ENTRIES.thread);

/**
 * Starts a node thread for a service.
 *
 * @param heapLimit Mebibytes of JavaScript heap; a thread that needs more ends. Typed arrays do not count.
 * @param onEnd Called once with the reason, when the thread has ended.
 */
export function createNodeWorker(
  name: string,
  birth: ThreadBirth,
  heapLimit: number,
  onEnd: (reason: string) => void,
): Worker {
  const worker = withSharedEnvironment((environment) =>
    new Worker(
      ENTRY,
      {
        name,
        workerData: birth,
        ...environment,
        transferList: [birth.channel.port as unknown as Transferable],
        resourceLimits: { maxOldGenerationSizeMb: heapLimit },
      } as ConstructorParameters<typeof Worker>[1],
    )
  );
  let error: string | undefined;
  worker.on("error", (cause: Error & { readonly code?: unknown }) => {
    error = cause.code === "ERR_WORKER_OUT_OF_MEMORY"
      ? `it needed more than ${heapLimit} MiB for its objects. Raise heap_limit`
      : `${cause.name}: ${cause.message}`;
  });
  worker.on("exit", (code: number) => onEnd(error ?? `it exited with status ${code}`));
  return worker;
}

/**
 * Creates a thread that shares the environment of its creator.
 *
 * By default, a thread gets a copy. To make the copy, Deno would read the whole environment, which a warden
 * may not do, and Deno would ask the user for the permission. Earlier versions of Deno do not know
 * `SHARE_ENV`: they throw before they create anything, and they share the environment without this option.
 */
function withSharedEnvironment(create: (environment: { readonly env?: symbol }) => Worker): Worker {
  try {
    return create({ env: SHARE_ENV });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return create({});
  }
}

/**
 * Gives a URL that a node thread can begin with: that of a file or of a `data:` module.
 *
 * The runtime may have been imported by URL, and then its entry module is no file.
 */
function entryOf(url: string): URL {
  return new URL(url.startsWith("file:") ? url : `data:text/javascript,import ${JSON.stringify(url)}`);
}
