import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import { BoundedMap, type MapBounds } from "../bounded_map.ts";

/** Options of the first level. */
export interface NearOptions extends MapBounds {
  /** Milliseconds for which a value is kept. */
  readonly for: number;
}

interface NearEntry {
  readonly text: string;
  readonly until: number;
}

/**
 * The first level of a cache: what one thread has read lately.
 *
 * Invariant: no value stays that an invalidation has met of which the thread has heard. Each value comes with the number
 * of invalidations that it has seen, so one that was on its way while the thread heard of a newer one is not kept.
 * The thread may hear late, but it keeps no value for longer than `for`.
 */
export class NearLevel {
  readonly #entries: BoundedMap<NearEntry>;
  readonly #for: number;
  readonly #clock: Clock;
  #version = 0;

  constructor(options: NearOptions, clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#entries = new BoundedMap(options);
    this.#for = options.for;
  }

  /** The number of invalidations of which the thread has heard. */
  get version(): number {
    return this.#version;
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > this.#clock.steady()) return entry.text;
    this.#entries.delete(key);
    return undefined;
  }

  /** @param fresh Milliseconds for which the value is fresh. */
  keep(key: string, text: string, fresh: number, version: number): void {
    if (version < this.#version || fresh <= 0) return;
    this.#entries.set(key, { text, until: this.#clock.steady() + Math.min(fresh, this.#for) });
  }

  /** Drops what is invalid: these keys, or everything. */
  drop(keys: readonly string[] | null, version = this.#version): void {
    this.#version = version;
    if (keys === null) this.#entries.clear();
    else for (const key of keys) this.#entries.delete(key);
  }
}
