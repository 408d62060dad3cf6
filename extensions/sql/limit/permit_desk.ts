/**
 * Says how many connections to one database the threads of this process hold. It lives in the main thread.
 *
 * Invariant: no more permits are out than the limit says, and a thread that is gone holds none. The second half rests on
 * a question that each holder asks first and that is never answered: the main thread gives up the questions of a
 * thread that is lost, so its signal aborts, and all permits of the holder come back. A permit is named by its holder
 * and a number of the holder's, so that giving it back twice, or giving back one that was never received, does nothing.
 *
 * A holder keeps a permit for as long as nobody else waits. Others that wait are told of by `wanted`, once for each
 * newcomer; whether a holder is to give one back, it asks when it has one to give.
 */

/** Most holders, and most permits and waiters of one holder: more than honest threads have. */
const MOST_HOLDERS = 10_000;
const MOST_OF_HOLDER = 10_000;

interface Waiter {
  readonly holder: string;
  readonly number: number;
  readonly grant: () => void;
}

interface Holder {
  readonly permits: Set<number>;
  /** Ends the wait for news, with the number of waiters that there have been. */
  tell: ((count: number) => void) | undefined;
  /** Whether the holder has been told to give a permit back, and has not yet. */
  isGiving: boolean;
}

/** The permits for connections to one database. */
export class PermitDesk {
  /** Most permits at once. */
  limit: number;
  readonly #holders = new Map<string, Holder>();
  readonly #waiters = new Set<Waiter>();
  #out = 0;
  /** Number of waiters that there have been, for holders to know whether they have heard of the latest. */
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Permits that are out, and waiters for one. */
  get load(): { readonly out: number; readonly waiting: number } {
    return { out: this.#out, waiting: this.#waiters.size };
  }

  get hasHolders(): boolean {
    return this.#holders.size > 0;
  }

  /** Lets a holder in until it is lost. */
  join(name: string): void {
    if (this.#holders.size >= MOST_HOLDERS) {
      throw new RangeError("Cannot hold connections: too many threads do");
    }
    if (!this.#holders.has(name)) {
      this.#holders.set(name, { permits: new Set(), tell: undefined, isGiving: false });
    }
  }

  /** Takes back all that a holder has. */
  leave(name: string): void {
    const holder = this.#holders.get(name);
    if (holder === undefined) return;
    this.#holders.delete(name);
    this.#out -= holder.permits.size;
    for (const waiter of this.#waiters) if (waiter.holder === name) this.#waiters.delete(waiter);
    this.#grant();
  }

  /** Gives a permit as soon as there is one. If the signal aborts first, it throws its reason. */
  async take(name: string, number: number, signal: AbortSignal | undefined): Promise<void> {
    const holder = this.#require(name);
    if (holder.permits.has(number)) return;
    if (holder.permits.size >= MOST_OF_HOLDER) {
      throw new RangeError("Cannot hold connections: the thread has too many");
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { holder: name, number, grant: resolve };
    this.#waiters.add(waiter);
    this.#grant();
    if (!this.#waiters.has(waiter)) return;
    this.#announce(name);
    const withdraw = () => {
      this.#waiters.delete(waiter);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", withdraw, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", withdraw);
    }
  }

  /** Takes a permit back, or ends the wait for it. */
  give(name: string, number: number): void {
    const holder = this.#holders.get(name);
    if (holder === undefined) return;
    holder.isGiving = false;
    if (holder.permits.delete(number)) this.#out--;
    for (const waiter of this.#waiters) {
      if (waiter.holder === name && waiter.number === number) this.#waiters.delete(waiter);
    }
    this.#grant();
  }

  /**
   * Waits until others wait whom the holder has not heard of.
   *
   * @param heard What the last answer was; 0 at first.
   */
  async wanted(name: string, heard: number, signal: AbortSignal | undefined): Promise<number> {
    const holder = this.#require(name);
    if (heard < this.#count && this.#waitersBeside(name) > 0) return this.#count;
    const { promise, resolve } = Promise.withResolvers<number>();
    holder.tell = resolve;
    const end = () => resolve(heard);
    signal?.addEventListener("abort", end, { once: true });
    const count = await promise;
    signal?.removeEventListener("abort", end);
    if (holder.tell === resolve) holder.tell = undefined;
    return count;
  }

  /** Whether the holder is to give a permit back. If so, the desk counts on it. */
  mayKeep(name: string): boolean {
    const holder = this.#require(name);
    let promised = 0;
    for (const each of this.#holders.values()) if (each !== holder && each.isGiving) promised++;
    holder.isGiving = this.#waitersBeside(name) > promised;
    return !holder.isGiving;
  }

  #waitersBeside(name: string): number {
    let count = 0;
    for (const { holder } of this.#waiters) if (holder !== name) count++;
    return count;
  }

  #announce(newcomer: string): void {
    this.#count++;
    for (const [name, { tell }] of this.#holders) if (name !== newcomer) tell?.(this.#count);
  }

  #grant(): void {
    for (const waiter of this.#waiters) {
      if (this.#out >= this.limit) return;
      this.#waiters.delete(waiter);
      this.#holders.get(waiter.holder)?.permits.add(waiter.number);
      this.#out++;
      waiter.grant();
    }
  }

  #require(name: string): Holder {
    const holder = this.#holders.get(name);
    if (holder === undefined) {
      throw new TypeError("Cannot hold connections: the thread has not said who it is");
    }
    return holder;
  }
}

const desks = new Map<string, PermitDesk>();

/** Gives the desk for the connections to a database, which all services of this process share. */
export function permitDesk(uri: string, limit: number): PermitDesk {
  const desk = desks.get(uri) ?? new PermitDesk(limit);
  desk.limit = limit;
  desks.set(uri, desk);
  return desk;
}

/** Forgets the desk of a database, if nobody holds anything there. */
export function forgetDesk(uri: string): void {
  if (desks.get(uri)?.hasHolders === false) desks.delete(uri);
}
