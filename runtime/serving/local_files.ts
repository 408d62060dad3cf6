import { fileURLToPath } from "node:url";
import { inspectModule } from "../module/graph.ts";
import type { ThreadModule } from "../channel/port.ts";

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
