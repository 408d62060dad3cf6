import { SHARE_ENV, Worker } from "node:worker_threads";
import { THREAD_ENTRIES } from "./spawner.ts";
import type { ThreadBirth } from "../channel/thread_channel.ts";

const ENTRY = entryOf(THREAD_ENTRIES.thread);

/**
 * Starts a node thread for a service.
 *
 * @param heapLimit Mebibytes of JavaScript heap, after which the thread ends; typed arrays do not count.
 * @param onEnd Called once, when the thread is gone.
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
 * A copy of the environment, which is the default, would read all of it: a warden may not, and Deno would ask.
 *
 * Earlier versions of Deno know no `SHARE_ENV`, throw before they have made anything, and share without being told.
 */
function withSharedEnvironment(create: (environment: { readonly env?: symbol }) => Worker): Worker {
  try {
    return create({ env: SHARE_ENV });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return create({});
  }
}

/** A node thread begins with a file or a `data:` module, and this one may have been imported by URL. */
function entryOf(url: string): URL {
  return new URL(url.startsWith("file:") ? url : `data:text/javascript,import ${JSON.stringify(url)}`);
}
