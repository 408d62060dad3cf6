/**
 * A map whose entries come and go, such as the requests that wait for their answers.
 *
 * A plain `Map` is slow in that place, because of how V8 grows it. Where many entries have left a `Map`, V8 moves the
 * others to a new table, and the former table keeps a link to the new one for the sake of iterators. A full garbage
 * collection moves the present table to the memory of old objects, where the fast collections of young objects do not
 * look. From then on, that table keeps each table after it, with all that they have held, until the next full
 * collection. Each fast collection then copies every request of that time, which took a third of the main thread's time.
 *
 * Invariant: no table that has been outgrown leads to the entries of more than {@linkcode RENEWAL} additions, or of
 * four times the present size. It holds because a new `Map`, to which no former table has a link, takes the place of
 * one that has seen so many.
 */

/** Additions after which a new `Map` takes over. */
const RENEWAL = 512;

/** Maps keys to values, for entries that stay only a short time. */
export class PendingMap<Key, Value> {
  #map = new Map<Key, Value>();
  #added = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  /** Adds an entry, or replaces it. A loop over the entries must not call it. */
  set(key: Key, value: Value): void {
    if (++this.#added > RENEWAL && this.#added > 4 * this.#map.size) {
      this.#map = new Map(this.#map);
      this.#added = 0;
    }
    this.#map.set(key, value);
  }

  /** Removes an entry. Returns false if there is none. */
  delete(key: Key): boolean {
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map = new Map();
    this.#added = 0;
  }

  keys(): MapIterator<Key> {
    return this.#map.keys();
  }

  values(): MapIterator<Value> {
    return this.#map.values();
  }

  /** The entries in the order in which they were added. A loop over them may remove entries. */
  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.#map[Symbol.iterator]();
  }
}
