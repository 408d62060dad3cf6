/** A cached value. Its times are steady times of the main thread's clock. */
export interface Entry {
  readonly text: string;
  readonly freshUntil: number;
  /** Until then the value is served while it is loaded again. */
  readonly staleUntil: number;
}

/** An entry with the tags by which it can be deleted. */
export interface TaggedEntry extends Entry {
  readonly tags: readonly string[];
}

/**
 * Where the values of one cache are.
 *
 * A store that cannot be reached knows no values and takes none: no method rejects.
 */
export interface CacheStore extends AsyncDisposable {
  /** The number of values and of their bytes; undefined if they are in no memory of this process. */
  readonly size: { readonly entries: number; readonly bytes: number } | undefined;
  get(key: string): Entry | undefined | Promise<Entry | undefined>;
  set(key: string, entry: TaggedEntry): void | Promise<void>;
  /** Deletes values by their keys and by their tags, and gives the keys of all of them. */
  delete(keys: readonly string[], tags: readonly string[]): readonly string[] | Promise<readonly string[]>;
  clear(): void | Promise<void>;
  /** The right to load a value, where other processes may load it too. @default {this process is the only one} */
  readonly leases?: Leases;
}

/** The rights of this process to load values. Whoever has one gives it up, or it ends by itself soon. */
export interface Leases {
  /** Takes the right to load a value. Returns false while another process has it. */
  take(key: string): Promise<boolean>;
  /**
   * Stores a value and gives up the right to load it. Returns false, without an effect, if the right was lost, because
   * the value was deleted in the meantime or the loading took too long.
   */
  settle(key: string, entry: TaggedEntry): Promise<boolean>;
  /** Gives up the right to load a value. */
  giveUp(key: string): void;
}
