import { LRUCache } from "npm:lru-cache@11.5.3";

/** Bounds of a {@linkcode BoundedMap}. */
export interface MapBounds {
  /** Most entries. */
  readonly entries: number;
  /** Most bytes of all entries together. */
  readonly bytes: number;
}

/** Bytes that are counted for each entry beside its key and its text. */
const OVERHEAD = 100;

/** Bytes that a text takes at most: V8 keeps one or two for each character. */
export function bytesOf(text: string): number {
  return text.length * 2;
}

/** A map of texts that forgets what nobody has read for the longest time, once it is full. */
export class BoundedMap<Entry extends { readonly text: string }> {
  readonly #map: LRUCache<string, Entry>;

  /** @param onGone Gets each entry that has left the map, and whether it had to make room. */
  constructor({ entries, bytes }: MapBounds, onGone?: (key: string, entry: Entry, evicted: boolean) => void) {
    this.#map = new LRUCache({
      max: entries,
      maxSize: bytes,
      sizeCalculation: ({ text }, key) => bytesOf(text) + bytesOf(key) + OVERHEAD,
      ...(onGone && { dispose: (entry, key, reason) => onGone(key, entry, reason === "evict") }),
    });
  }

  get size(): number {
    return this.#map.size;
  }

  get bytes(): number {
    return this.#map.calculatedSize;
  }

  get(key: string): Entry | undefined {
    return this.#map.get(key);
  }

  /** Keeps an entry. One that is larger than the whole map only makes it forget the former one. */
  set(key: string, entry: Entry): void {
    this.#map.set(key, entry);
  }

  delete(key: string): boolean {
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }
}
