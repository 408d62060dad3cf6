import { FileWatch, type FileWatchOptions } from "./file_watch.ts";
import { localFiles } from "./local_files.ts";
import type { Log } from "../log/log.ts";
import type { ServiceSet } from "./service_set.ts";

/** Options of {@linkcode ReloadOnChange}. */
export interface ReloadOnChangeOptions extends FileWatchOptions {
  /** Time at which the modules began to load, in milliseconds since the epoch. Later changes count. */
  readonly since: number;
  /** Called when the present version of a module cannot be served. The former version goes on. */
  readonly onFailure: (module: string, error: unknown) => void;
  readonly log: Log;
}

/**
 * Reloads the modules of services whenever one of their local files changes, until it is disposed.
 *
 * A change during a reload gives this reload up and starts a new one, which loads the present files. While a
 * module is broken, the watch covers the files of its last good version and the files that the module names
 * now, including missing ones. So the watch sees every edit that can repair the module.
 */
export class ReloadOnChange implements AsyncDisposable {
  readonly #services: ServiceSet;
  readonly #options: ReloadOnChangeOptions;
  readonly #watch: FileWatch;
  /** Local files of each module, by its URL. */
  readonly #files = new Map<string, ReadonlySet<string>>();
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;
  /** The latest change of what is watched. */
  #following: Promise<void> = Promise.resolve();

  constructor(services: ServiceSet, options: ReloadOnChangeOptions) {
    this.#services = services;
    this.#options = options;
    this.#watch = new FileWatch(options);
    this.#ended = this.#run();
  }

  /**
   * Watches one more module.
   *
   * @param since Time at which the module began to load, in milliseconds since the epoch.
   */
  follow(url: string, since: number): void {
    this.#follow([url], since).catch((error) => this.#complain(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#ended;
    await this.#following;
    this.#watch[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    const { log, since } = this.#options;
    const { signal } = this.#ending;
    const watch = this.#watch;
    try {
      const urls = new Set(this.#services.modules.map(({ url }) => url));
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
        // A module may load without end. An edit that repairs it must end such a reload.
        const superseded = new AbortController();
        changes = watch.changes({ signal });
        changes.then(() => superseded.abort(), () => {});
        for (const url of affected) if (await this.#reload(url, superseded.signal)) outdated.delete(url);
        await this.#follow(affected, now);
      }
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.#options.log.error(`Cannot watch for changes any more: ${String(error)}`, { error });
  }

  /**
   * Reloads a module. Returns false if the module has changed again meanwhile; otherwise true, whether its
   * present version is served or cannot be.
   */
  async #reload(url: string, superseded: AbortSignal): Promise<boolean> {
    const { signal } = this.#ending;
    try {
      await this.#services.reload(new URL(url), { signal: AbortSignal.any([signal, superseded]) });
    } catch (error) {
      signal.throwIfAborted();
      if (superseded.aborted) return false;
      const isStopping = error instanceof DOMException && error.name === "AbortError";
      if (!isStopping) this.#options.onFailure(url, error);
    }
    return true;
  }

  #follow(urls: Iterable<string>, since: number): Promise<void> {
    const followed = this.#following.then(async () => {
      for (const url of urls) this.#files.set(url, await this.#filesOf(url));
      this.#ending.signal.throwIfAborted();
      await this.#watch.follow([...this.#files.values()].flatMap((files) => [...files]), since);
    });
    this.#following = followed.catch(() => {});
    return followed;
  }

  async #filesOf(url: string): Promise<ReadonlySet<string>> {
    const { files, isComplete } = await localFiles(url, this.#services.sourceOf(url), this.#ending.signal);
    return isComplete ? files : files.union(this.#files.get(url) ?? new Set());
  }
}
