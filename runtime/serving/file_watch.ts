/**
 * Tells when files change.
 *
 * It is folders that are watched: a file that an editor writes beside the old one and renames, one that is removed
 * and comes back, and one that is not there yet cannot be watched themselves. A file under a symbolic link counts
 * under both of its paths. Nothing is missed between two sets of files: what is watched twice stays watched, and
 * what is new is compared with its time of modification.
 */
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Options of {@linkcode FileWatch}. */
export interface FileWatchOptions {
  /** Milliseconds of silence after a change, so that what is saved together is told together. @default {50} */
  readonly settleTime?: number;
}

/** The clock of a file system may be so much behind ours, in milliseconds. */
const CLOCK_LAG = 5;

/** Watches a changing set of files. */
export class FileWatch implements Disposable {
  readonly #settleTime: number;
  /** By each path under which an event may name a file: the path that it was given by. */
  #names = new Map<string, string>();
  readonly #watchers = new Map<string, Deno.FsWatcher>();
  #changed = new Set<string>();
  #told: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ settleTime = 50 }: FileWatchOptions = {}) {
    this.#settleTime = settleTime;
  }

  /**
   * Watches these files from now on, and no others. Those that need not be there yet are fine.
   *
   * @param paths Absolute.
   * @param since Milliseconds since the epoch; a file that was not watched so far and was modified later counts as
   * changed.
   */
  async follow(paths: Iterable<string>, since: number): Promise<void> {
    const names = new Map<string, string>();
    for (const path of paths) {
      names.set(path, path);
      names.set(await resolved(path), path);
    }
    const former = this.#names;
    this.#names = names;
    const folders = new Set([...names.keys()].map(dirname));
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#open(folder);
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      this.#watchers.delete(folder);
      watcher.close();
    }
    for (const name of names.keys()) {
      if (former.has(name)) continue;
      const modified = (await Deno.stat(name).catch(() => undefined))?.mtime?.getTime() ?? 0;
      if (modified >= since - CLOCK_LAG) this.#note(name);
    }
  }

  /**
   * Waits until files have changed; those that did since it last resolved, as they were given.
   *
   * @throws What `signal` says when it aborts.
   */
  async changes({ signal }: { readonly signal: AbortSignal }): Promise<ReadonlySet<string>> {
    signal.throwIfAborted();
    const told = this.#told = Promise.withResolvers<void>();
    const abort = () => told.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      if (this.#changed.size > 0) this.#settle();
      await told.promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#told = undefined;
    }
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    // Events that are on their way are about no file any more.
    this.#names = new Map();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #open(folder: string): void {
    let watcher: Deno.FsWatcher;
    try {
      watcher = Deno.watchFs(folder, { recursive: false });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    this.#watchers.set(folder, watcher);
    void this.#listen(folder, watcher);
  }

  async #listen(folder: string, watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      for (const path of paths) this.#note(path);
      if (kind === "remove" && paths.includes(folder)) break;
    }
    // A folder that is gone may come back with the next set.
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }

  #note(path: string): void {
    const file = this.#names.get(path);
    if (file === undefined) return;
    this.#changed.add(file);
    this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#told?.resolve(), this.#settleTime);
  }
}

/** The path behind symbolic links; of a file that is not there, that of its folder with its name. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    return join(folder, basename(path));
  }
}
