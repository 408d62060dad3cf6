/** What has become invalid since a thread last heard of it. */
export interface News {
  /** The number of invalidations that these are a part of. */
  readonly version: number;
  /** The keys; null if everything is invalid. */
  readonly keys: readonly string[] | null;
}

/** Invalidations that are remembered, and keys of one of them that are told one by one. */
const MOST = 1_000;

/** The invalidations of one cache, which its threads listen to. */
export class Invalidations implements Disposable {
  readonly #recent: News[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #tags = new Map<string, number>();
  #version = 0;
  #isClosed = false;

  /** The number of invalidations so far. */
  get version(): number {
    return this.#version;
  }

  /** @param keys The keys that are invalid; null if all are. */
  add(keys: readonly string[] | null, tags: readonly string[] = []): void {
    this.#recent.push({ version: ++this.#version, keys: keys !== null && keys.length > MOST ? null : keys });
    if (this.#recent.length > MOST) this.#recent.shift();
    for (const tag of tags) {
      this.#tags.delete(tag);
      this.#tags.set(tag, this.#version);
    }
    for (const tag of this.#tags.keys()) {
      if (this.#tags.size <= MOST) break;
      this.#tags.delete(tag);
    }
    this.#tell();
  }

  /** Says whether values with these tags may have become invalid since then. */
  hasMet(tags: readonly string[], since: number): boolean {
    if (tags.length === 0 || since === this.#version) return false;
    // The tags of older invalidations are forgotten when there are too many.
    const [oldest = 0] = this.#tags.size < MOST ? [] : this.#tags.values();
    return since < oldest || tags.some((tag) => (this.#tags.get(tag) ?? 0) > since);
  }

  /** Waits for invalidations after that one. Aborting the signal ends the wait, as disposal does. */
  async after(version: number, signal?: AbortSignal): Promise<News> {
    if (version === this.#version && !this.#isClosed && !signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#listeners.add(resolve);
      signal?.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      this.#listeners.delete(resolve);
    }
    return this.#since(version);
  }

  /** Ends all waits. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#tell();
  }

  #tell(): void {
    for (const tell of this.#listeners) tell();
    this.#listeners.clear();
  }

  #since(version: number): News {
    const [oldest] = this.#recent;
    const missed = version > this.#version || (oldest !== undefined && version < oldest.version - 1);
    if (missed) return { version: this.#version, keys: null };
    const keys = new Set<string>();
    for (const news of this.#recent) {
      if (news.version <= version) continue;
      if (news.keys === null) return { version: this.#version, keys: null };
      for (const key of news.keys) keys.add(key);
    }
    return { version: this.#version, keys: keys.size > MOST ? null : [...keys] };
  }
}
