import { FileWatch } from "./file_watch.ts";
import { inspectModule } from "./module_graph.ts";
import { filesOfSource } from "./reload_on_change.ts";

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
    for (const file of filesOfSource(url, undefined)) files.add(file);
    // What cannot be read as a module yet has no imports to look at.
    const graph = await inspectModule(url, { signal }).catch(() => undefined);
    for (const file of graph?.files ?? []) files.add(file);
  }
  using watch = new FileWatch();
  await watch.follow(files, since);
  await watch.changes({ signal });
}
