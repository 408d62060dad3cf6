import { BoundedMap, type MapBounds } from "../bounded_map.ts";
import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import type { CacheStore, Entry, TaggedEntry } from "./store.ts";

/** Keeps the values of one cache in the memory of the main thread. */
export class MemoryStore implements CacheStore {
  readonly #entries: BoundedMap<TaggedEntry>;
  readonly #keysByTag = new Map<string, Set<string>>();

  readonly #clock: Clock;

  /** @param onEvicted Is called for each value that has had to make room for others. */
  constructor(bounds: MapBounds, onEvicted: () => void, clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#entries = new BoundedMap<TaggedEntry>(bounds, (key, { tags }, evicted) => {
      for (const tag of tags) this.#untag(key, tag);
      if (evicted) onEvicted();
    });
  }

  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#entries.bytes };
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.staleUntil > this.#clock.steady()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, entry: TaggedEntry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.get(key) !== entry) return;
    for (const tag of entry.tags) {
      const keys = this.#keysByTag.get(tag);
      if (keys === undefined) this.#keysByTag.set(tag, new Set([key]));
      else keys.add(key);
    }
  }

  delete(keys: readonly string[], tags: readonly string[]): readonly string[] {
    const all = new Set([...keys, ...tags.flatMap((tag) => [...this.#keysByTag.get(tag) ?? []])]);
    for (const key of all) this.#entries.delete(key);
    return [...all];
  }

  clear(): void {
    this.#entries.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.clear();
    return Promise.resolve();
  }

  #untag(key: string, tag: string): void {
    const keys = this.#keysByTag.get(tag);
    if (keys?.delete(key) && keys.size === 0) this.#keysByTag.delete(tag);
  }
}
