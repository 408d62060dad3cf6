/**
 * The values that are being loaded, each by one thread, while other threads wait for it.
 *
 * Invariant: a flight has exactly one holder, who has the task to load its value; all others wait. When the holder
 * fails, is lost or takes too long, the task goes to the one who has waited longest, and a flight without anybody is
 * gone. Each waiter gets exactly one turn: the value, or the task, or the freedom to load it alone. A holder answers for
 * itself by the id of its flight; whoever is holder no more has no effect on the flight.
 */
import type { Clock, TimerName } from "../../../runtime/waiting/clock.ts";
import type { Entry } from "./store.ts";

/** What becomes of one that waits. */
export type Turn =
  | { readonly is: "value"; readonly flight: Flight; readonly entry: Entry }
  | { readonly is: "load"; readonly flight: Flight }
  | { readonly is: "alone" };

/** A value that is being loaded. */
export interface Flight {
  readonly key: string;
  /** The number of invalidations when the loading began. */
  version: number;
  /** The value that others get meanwhile. */
  stale: Entry | undefined;
  /** Whether the value was invalidated, so that what is being loaded must not be kept. */
  isOutdated: boolean;
}

interface Waiter {
  readonly take: (turn: Turn) => void;
  /** Milliseconds that it may take as a holder. */
  readonly limit: number;
}

interface RunningFlight extends Flight {
  holder: string;
  /** Those who wait, by the ids that they have as holders. */
  readonly waiting: Map<string, Waiter>;
  timer: TimerName | undefined;
}

/** Options of {@linkcode Flights}. */
export interface FlightsOptions {
  /** Most flights at one time. */
  readonly most: number;
  /** Times the holders. */
  readonly clock: Clock;
  /** Most threads and calls that wait for one value. */
  readonly mostWaiting: number;
  /** Gives the number of invalidations so far. */
  readonly version: () => number;
  /** Is called when nobody loads a value any more, and it has not been loaded. */
  readonly onGivenUp: (key: string) => void;
}

/** Milliseconds that a holder has beyond its limit, within which it says by itself that it is too slow. */
const MARGIN = 500;

/** The flights of one cache. */
export class Flights implements Disposable {
  readonly #options: FlightsOptions;
  readonly #byKey = new Map<string, RunningFlight>();
  readonly #byHolder = new Map<string, RunningFlight>();

  constructor(options: FlightsOptions) {
    this.#options = options;
  }

  /** The number of those who wait. */
  get waiting(): number {
    let waiting = 0;
    for (const flight of this.#byHolder.values()) waiting += flight.waiting.size;
    return waiting;
  }

  /** Gives the flight of a key. */
  of(key: string): Flight | undefined {
    return this.#byKey.get(key);
  }

  /**
   * Begins a flight; undefined if there are too many.
   *
   * @param limit Milliseconds that the holder may take.
   */
  begin(key: string, holder: string, limit: number): Flight | undefined {
    if (this.#byHolder.size >= this.#options.most || this.#byHolder.has(holder)) return undefined;
    const flight: RunningFlight = {
      key,
      holder,
      version: this.#options.version(),
      stale: undefined,
      isOutdated: false,
      waiting: new Map(),
      timer: undefined,
    };
    this.#byKey.set(key, flight);
    this.#byHolder.set(holder, flight);
    this.#watch(flight, limit);
    return flight;
  }

  /** Waits for the flight of a key until the signal aborts. */
  async wait(key: string, id: string, limit: number, signal: AbortSignal | undefined): Promise<Turn> {
    const flight = this.#byKey.get(key);
    if (flight === undefined || flight.waiting.size >= this.#options.mostWaiting) return { is: "alone" };
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    flight.waiting.set(id, { take: resolve, limit });
    const leave = () => {
      flight.waiting.delete(id);
      reject(signal!.reason);
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /** Gives the flight that somebody holds. */
  heldBy(holder: string): Flight | undefined {
    return this.#byHolder.get(holder);
  }

  /** Gives those who wait the value that was there before; the flight goes on. */
  serveStale(flight: Flight, entry: Entry): void {
    flight.stale = entry;
    this.#release(flight as RunningFlight, { is: "value", flight, entry });
  }

  /** Ends a flight with its value. */
  land(flight: Flight, entry: Entry): void {
    this.#end(flight as RunningFlight);
    this.#release(flight as RunningFlight, { is: "value", flight, entry });
  }

  /** Ends a flight whose value cannot be shared: each one who waits loads it alone. */
  scatter(flight: Flight): void {
    this.#end(flight as RunningFlight);
    this.#release(flight as RunningFlight, { is: "alone" });
    this.#options.onGivenUp(flight.key);
  }

  /** Gives the task of a flight to the next one who waits. */
  handOver(flight: Flight): void {
    const running = flight as RunningFlight;
    if (this.#byHolder.get(running.holder) !== running) return;
    this.#byHolder.delete(running.holder);
    const [next] = running.waiting;
    if (next === undefined) {
      this.#end(running);
      return this.#options.onGivenUp(running.key);
    }
    const [id, { take, limit }] = next;
    running.waiting.delete(id);
    running.holder = id;
    if (!running.isOutdated) running.version = this.#options.version();
    this.#byHolder.set(id, running);
    this.#watch(running, limit);
    take({ is: "load", flight });
  }

  /** Hands over what was held by one whose ids begin like that. */
  lose(prefix: string): void {
    for (const [holder, flight] of [...this.#byHolder]) if (holder.startsWith(prefix)) this.handOver(flight);
  }

  /** Keeps what is being loaded for these keys from being kept, and lets others begin anew. */
  outdate(keys: Iterable<string>): void {
    for (const key of keys) {
      const flight = this.#byKey.get(key);
      if (flight === undefined) continue;
      flight.isOutdated = true;
      this.#byKey.delete(key);
    }
  }

  /** Does that for all keys. */
  outdateAll(): void {
    this.outdate([...this.#byKey.keys()]);
  }

  /** Lets each one who waits load the value alone. */
  [Symbol.dispose](): void {
    for (const flight of new Set(this.#byHolder.values())) this.scatter(flight);
  }

  #watch(flight: RunningFlight, limit: number): void {
    const { clock } = this.#options;
    clock.clearTimer(flight.timer);
    flight.timer = clock.setTimer(() => this.handOver(flight), limit + MARGIN);
  }

  #end(flight: RunningFlight): void {
    this.#options.clock.clearTimer(flight.timer);
    this.#byHolder.delete(flight.holder);
    if (this.#byKey.get(flight.key) === flight) this.#byKey.delete(flight.key);
  }

  #release(flight: RunningFlight, turn: Turn): void {
    for (const { take } of flight.waiting.values()) take(turn);
    flight.waiting.clear();
  }
}
