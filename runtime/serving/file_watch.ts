/**
 * Tells when files change.
 *
 * The watch is on folders, because a watch on a file would fail in three cases: an editor writes a new file
 * beside the old one and renames it, a file is removed and comes back, or a file does not exist yet. A file
 * under a symbolic link counts under both of its paths. No change is missed between two sets of files: a
 * folder that both sets need stays watched, and the time of modification tells whether a file that is new in
 * the set has changed.
 */
import { type Duration, requireDuration } from "../waiting/duration.ts";
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Options of {@linkcode FileWatch}. */
export interface FileWatchOptions {
  /**
   * Milliseconds without a further change before changes are reported, so that files that are saved together
   * are reported together.
   *
   * @default {50}
   */
  readonly settleTime?: Duration;
}

/**
 * Milliseconds that the clock of a file system may be behind the clock of this process. Linux takes the time of
 * modification from its last timer tick: this is up to 10 ms ago, and longer ago on a virtual machine that has
 * to wait for a processor.
 */
const CLOCK_LAG = 40;

/** Watches a changing set of files. */
export class FileWatch implements Disposable {
  readonly #settleTime: number;
  /** Maps each path under which an event may name a file to the path that the caller gave for the file. */
  #names = new Map<string, string>();
  readonly #watchers = new Map<string, Deno.FsWatcher>();
  #changed = new Set<string>();
  #told: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ settleTime = 50 }: FileWatchOptions = {}) {
    this.#settleTime = requireDuration("Cannot watch files", "settleTime", settleTime);
  }

  /**
   * Watches these files from now on, and no others. The files need not exist yet.
   *
   * @param paths Absolute paths of the files.
   * @param since Milliseconds since the epoch. A file that was not watched so far and was modified later
   * counts as changed.
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
   * Waits until files have changed.
   *
   * @returns Paths, as the caller gave them, of all files that have changed since the last call resolved.
   * @throws The reason of `signal` when it aborts.
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
    // Events that still arrive must not match any file.
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
    // The folder may be gone and come back. Then the next call of `follow` watches it again.
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

/** Returns the path behind symbolic links. For a missing file, resolves only the path of its folder. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    return join(folder, basename(path));
  }
}
