/** How often a message was lost with its thread: alone in it, and together with others. */
export interface Losses {
  readonly alone: number;
  readonly shared: number;
}

const NONE: Losses = { alone: 0, shared: 0 };

/**
 * Counts how often the records of streams were lost with their threads.
 *
 * The copy of a message carries these numbers, but a record is never copied, so they are kept in this process. Only
 * records that were lost and are offered again have an entry here, so the prefetch bounds their number.
 */
export class RecordLosses {
  readonly #losses = new Map<object, Map<number, Losses>>();

  /** @param reader Who reads the stream. Several readers may lose the same record. */
  of(reader: object, offset: number): Losses {
    return this.#losses.get(reader)?.get(offset) ?? NONE;
  }

  set(reader: object, offset: number, losses: Losses): void {
    const known = this.#losses.get(reader);
    if (known === undefined) this.#losses.set(reader, new Map([[offset, losses]]));
    else known.set(offset, losses);
  }

  forget(reader: object, offset: number | undefined): void {
    if (this.#losses.size > 0 && offset !== undefined) this.#losses.get(reader)?.delete(offset);
  }
}
