import { fileURLToPath } from "node:url";
import { inspectModule } from "../module/graph.ts";
import type { ThreadModule } from "../channel/port.ts";
import { FileWatch } from "./file_watch.ts";

/** Local files that make up a module, including missing files. */
export interface LocalFiles {
  readonly files: ReadonlySet<string>;
  /** Whether the module can be loaded. If it cannot, the module may have more files. */
  readonly isComplete: boolean;
}

/**
 * Finds the local files of a module.
 *
 * @param source Module as threads have loaded it; undefined if no thread has.
 * @throws The reason of `signal` when it aborts.
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

/** Returns the files that are known without asking Deno. A binary cannot ask Deno. */
function filesOfSource(url: string, source: ThreadModule | undefined): readonly string[] {
  const map: { readonly sources?: readonly string[] } = typeof source === "object" && "map" in source
    ? JSON.parse(source.map)
    : {};
  return [url, ...map.sources ?? []].filter((each) => each.startsWith("file:")).map((each) =>
    fileURLToPath(each)
  );
}

/**
 * Waits until a local file of some modules changes, or a missing one appears.
 *
 * @param urls URLs of the modules.
 * @param options.since Milliseconds since the epoch. A file that was modified later counts as changed.
 * @throws The reason of `signal` when it aborts.
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
