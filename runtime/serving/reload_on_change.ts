import { FileWatch, type FileWatchOptions } from "./file_watch.ts";
import { localFiles } from "./local_files.ts";
import type { Log } from "../log/log.ts";
import type { Runner } from "./runner.ts";

/** Options of {@linkcode ReloadOnChange}. */
export interface ReloadOnChangeOptions extends FileWatchOptions {
  /** When the modules began to be loaded, in milliseconds since the epoch: later changes count. */
  readonly since: number;
  /** Called when the present version cannot be served; the former one goes on. */
  readonly onFailure: (module: string, error: unknown) => void;
  readonly log: Log;
}

/**
 * Reloads the modules of a runner whenever one of their local files changes, until it is disposed.
 *
 * A change gives up the reload that is under way, if any, for one of what there is now. While a module is broken,
 * the files of its last good version are watched together with those that it names now, also where they are missing:
 * whichever edit mends it is seen.
 */
export class ReloadOnChange implements AsyncDisposable {
  readonly #runner: Runner;
  readonly #options: ReloadOnChangeOptions;
  readonly #watch: FileWatch;
  /** By URL of the module. */
  readonly #files = new Map<string, ReadonlySet<string>>();
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  constructor(runner: Runner, options: ReloadOnChangeOptions) {
    this.#runner = runner;
    this.#options = options;
    this.#watch = new FileWatch(options);
    this.#ended = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { log, since } = this.#options;
    const { signal } = this.#ending;
    using watch = this.#watch;
    try {
      const urls = new Set(this.#runner.modules.map(({ url }) => url));
      await this.#follow(urls, since);
      if ([...this.#files.values()].every(({ size }) => size === 0)) {
        log.warning("No local file belongs to the modules: there is nothing to watch");
      }
      let changes = watch.changes({ signal });
      const outdated = new Set<string>();
      while (true) {
        const changed = await changes;
        const now = Date.now();
        for (const [url, files] of this.#files) if (!files.isDisjointFrom(changed)) outdated.add(url);
        const affected = [...outdated];
        // What loads without end, an edit may mend.
        const superseded = new AbortController();
        changes = watch.changes({ signal });
        changes.then(() => superseded.abort(), () => {});
        for (const url of affected) if (await this.#reload(url, superseded.signal)) outdated.delete(url);
        await this.#follow(affected, now);
      }
    } catch (error) {
      if (!signal.aborted) log.error(`Cannot watch for changes any more: ${String(error)}`, { error });
    }
  }

  /** Whether the module as it is now has been served, or cannot be; false where it has changed meanwhile. */
  async #reload(url: string, superseded: AbortSignal): Promise<boolean> {
    const { signal } = this.#ending;
    try {
      await this.#runner.reload(new URL(url), { signal: AbortSignal.any([signal, superseded]) });
    } catch (error) {
      signal.throwIfAborted();
      if (superseded.aborted) return false;
      const isStopping = error instanceof DOMException && error.name === "AbortError";
      if (!isStopping) this.#options.onFailure(url, error);
    }
    return true;
  }

  async #follow(urls: Iterable<string>, since: number): Promise<void> {
    for (const url of urls) this.#files.set(url, await this.#filesOf(url));
    await this.#watch.follow([...this.#files.values()].flatMap((files) => [...files]), since);
  }

  async #filesOf(url: string): Promise<ReadonlySet<string>> {
    const { files, isComplete } = await localFiles(url, this.#runner.sourceOf(url), this.#ending.signal);
    return isComplete ? files : files.union(this.#files.get(url) ?? new Set());
  }
}
