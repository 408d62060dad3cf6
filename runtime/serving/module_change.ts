import { FileWatch } from "./file_watch.ts";
import { localFiles } from "./local_files.ts";

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
