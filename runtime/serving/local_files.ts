import { fileURLToPath } from "node:url";
import { inspectModule } from "../module/graph.ts";
import type { ThreadModule } from "../channel/port.ts";
import { FileWatch } from "./file_watch.ts";

/** Local files that a module consists of, the missing ones included. */
export interface LocalFiles {
  readonly files: ReadonlySet<string>;
  /** Whether the module can be loaded; where it cannot, there may be more. */
  readonly isComplete: boolean;
}

/**
 * Finds the local files of a module.
 *
 * @param source What threads have loaded for it; undefined where none has.
 * @throws What `signal` says when it aborts.
 */
export async function localFiles(
  url: string,
  source: ThreadModule | undefined,
  signal: AbortSignal,
): Promise<LocalFiles> {
  const files = new Set(filesOfSource(url, source));
  try {
    const graph = await inspectModule(url, { signal });
    for (const file of graph.files) files.add(file);
    return { files, isComplete: graph.failure === undefined };
  } catch {
    signal.throwIfAborted();
    return { files, isComplete: false };
  }
}

/** The files that are known without asking Deno, which a binary cannot do. */
function filesOfSource(url: string, source: ThreadModule | undefined): readonly string[] {
  const map: { readonly sources?: readonly string[] } = typeof source === "object"
    ? JSON.parse(source.map)
    : {};
  return [url, ...map.sources ?? []].filter((each) => each.startsWith("file:")).map((each) =>
    fileURLToPath(each)
  );
}

/**
 * Waits until a local file of some modules changes, be it one that is missing now.
 *
 * @param urls Of the modules.
 * @param options.since Milliseconds since the epoch: a file that was modified later has changed already.
 * @throws What `signal` says when it aborts.
 */
export async function moduleChange(
  urls: Iterable<string>,
  { since, signal }: { readonly since: number; readonly signal: AbortSignal },
): Promise<void> {
  const files = new Set<string>();
  for (const url of urls) {
    for (const file of (await localFiles(url, undefined, signal)).files) files.add(file);
  }
  using watch = new FileWatch();
  await watch.follow(files, since);
  await watch.changes({ signal });
}
