/**
 * The level of a cache that all threads of a service share: one store, one flight for each key.
 *
 * Invariant: a value that was loaded before an invalidation is never stored after it. An invalidation outdates the
 * flights that it meets before it reaches the store, and a flight with tags compares its version with theirs when it
 * lands.
 */
import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import { bytesOf } from "../bounded_map.ts";
import {
  type AskedQuestion,
  type Lifetime,
  type Question,
  readQuestion,
  type Reply,
  writeReply,
} from "../frame.ts";
import type { CacheSettings } from "../settings.ts";
import type { CacheCounts } from "./counts.ts";
import { type Flight, Flights, type Turn } from "./flights.ts";
import { Invalidations } from "./invalidations.ts";
import { awaitLease } from "./lease.ts";
import type { CacheStore, Entry, TaggedEntry } from "./store.ts";

/** Options of {@linkcode SharedCache}. */
export interface SharedCacheOptions {
  readonly store: CacheStore;
  readonly counts: CacheCounts;
  readonly settings: Pick<CacheSettings, "maxValueBytes" | "maxWaiting">;
  /** Tells how old values are. It is that of the store. @default {the clock of the machine} */
  readonly clock?: Clock;
}

/** Most values that are loaded at one time. */
const MOST_FLIGHTS = 10_000;

/** Longest time that a thread may have to load a value, in milliseconds. */
const LONGEST_LIMIT = 3_600_000;

type Asked<Op extends Question["op"]> = Extract<Question, { readonly op: Op }>;

/** One cache of a service. */
export class SharedCache implements AsyncDisposable {
  readonly store: CacheStore;
  readonly #counts: CacheCounts;
  readonly #clock: Clock;
  readonly #mostBytes: number;
  readonly #invalidations = new Invalidations();
  readonly #flights: Flights;
  /** The number of calls that wait for another process. */
  #awaitedLeases = 0;
  /** Ends the waits of those who have joined. */
  readonly #leaving = new Set<() => void>();

  constructor(
    { store, counts, settings: { maxValueBytes, maxWaiting }, clock = SYSTEM_CLOCK }: SharedCacheOptions,
  ) {
    this.#clock = clock;
    this.store = store;
    this.#counts = counts;
    this.#mostBytes = maxValueBytes;
    this.#flights = new Flights({
      most: MOST_FLIGHTS,
      clock,
      mostWaiting: maxWaiting,
      version: () => this.#invalidations.version,
      onGivenUp: (key) => store.leases?.giveUp(key),
    });
  }

  /** The number of calls that wait for a value that another one loads. */
  get waiting(): number {
    return this.#flights.waiting + this.#awaitedLeases;
  }

  /**
   * Answers a thread.
   *
   * @throws {TypeError} If the question has no form.
   */
  async answer(body: unknown, signal?: AbortSignal): Promise<string> {
    const { question, text, hits }: AskedQuestion = readQuestion(body);
    this.#counts.near.add(hits);
    switch (question.op) {
      case "join":
        return await this.#join(question, signal);
      case "watch":
        return writeReply({ is: "news", ...await this.#invalidations.after(question.since, signal) });
      case "get":
        return await this.#get(question, signal);
      case "last":
        return await this.#last(question);
      case "put":
        return await this.#put(question, text);
      case "set":
        return await this.#set(question, text);
      case "fail":
        this.#fail(question);
        break;
      case "delete":
        await this.#delete(question.keys, question.tags);
        break;
      case "clear":
        this.#flights.outdateAll();
        await this.store.clear();
        this.#invalidations.add(null);
        break;
      case "count":
    }
    return writeReply({ is: "none" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const leave of this.#leaving) leave();
    this.#invalidations[Symbol.dispose]();
    this.#flights[Symbol.dispose]();
    await this.store[Symbol.asyncDispose]();
  }

  /** Waits as long as the thread is there, and then gives its tasks to others. */
  async #join({ session }: Asked<"join">, signal: AbortSignal | undefined): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#leaving.add(resolve);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    if (signal?.aborted) resolve();
    await promise;
    this.#leaving.delete(resolve);
    this.#flights.lose(`${session}/`);
    return writeReply({ is: "none" });
  }

  async #get(
    { flight: id, key, limit: asked }: Asked<"get">,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const limit = Math.min(asked, LONGEST_LIMIT);
    const running = this.#flights.of(key);
    if (running?.stale !== undefined && running.stale.staleUntil > this.#clock.steady()) {
      this.#counts.stale.add();
      return this.#value(running.stale, running.version);
    }
    if (running !== undefined) return this.#turn(await this.#flights.wait(key, id, limit, signal));
    const flight = this.#flights.begin(key, id, limit);
    const entry = await this.store.get(key);
    if (flight === undefined) return entry === undefined ? this.#turn({ is: "alone" }) : this.#found(entry);
    if (signal?.aborted) {
      this.#flights.handOver(flight);
      throw signal.reason;
    }
    return await this.#begun(flight, entry, signal);
  }

  async #begun(flight: Flight, entry: Entry | undefined, signal: AbortSignal | undefined): Promise<string> {
    const { leases } = this.store;
    if (entry !== undefined && entry.freshUntil > this.#clock.steady()) {
      this.#flights.land(flight, entry);
      return this.#found(entry, flight.version);
    }
    if (entry !== undefined) {
      this.#flights.serveStale(flight, entry);
      this.#counts.stale.add();
      const isOurs = await leases?.take(flight.key) ?? true;
      if (!isOurs) this.#flights.land(flight, entry);
      return this.#value(entry, flight.version, isOurs);
    }
    if (leases !== undefined) {
      this.#awaitedLeases++;
      const loaded = await awaitLease(this.store, leases, flight.key, signal)
        .finally(() => this.#awaitedLeases--);
      if (signal?.aborted) {
        this.#flights.handOver(flight);
        throw signal.reason;
      }
      if (loaded !== undefined) {
        this.#flights.land(flight, loaded);
        this.#counts.waited.add();
        return this.#value(loaded, flight.version);
      }
    }
    return this.#turn({ is: "load", flight });
  }

  async #last({ key }: Asked<"last">): Promise<string> {
    const entry = await this.store.get(key);
    if (entry === undefined) return writeReply({ is: "none" });
    this.#counts.fallbacks.add();
    return this.#value(entry, this.#invalidations.version);
  }

  async #put({ flight: id, ...lifetime }: Asked<"put">, text: string): Promise<string> {
    const flight = id === undefined ? undefined : this.#flights.heldBy(id);
    const { version } = flight ?? this.#invalidations;
    if (bytesOf(text) > this.#mostBytes) {
      this.#counts.refused.add();
      if (flight !== undefined) this.#flights.scatter(flight);
      return writeReply({ is: "put", stored: false, version, most: this.#mostBytes });
    }
    const entry = this.#entryOf(lifetime, text);
    if (id === undefined) {
      await this.store.set(lifetime.key, entry);
      return writeReply({ is: "put", stored: true, version });
    }
    if (flight === undefined || flight.key !== lifetime.key) {
      return writeReply({ is: "put", stored: false, version });
    }
    const stored = await this.#keep(flight, entry);
    this.#flights.land(flight, entry);
    return writeReply({ is: "put", stored, version });
  }

  /** Stores what a flight has loaded. Returns false, without an effect, if it was invalidated in the meantime. */
  async #keep(flight: Flight, entry: TaggedEntry): Promise<boolean> {
    const { key, version } = flight;
    const { leases } = this.store;
    // With the value, its lease was deleted.
    if (flight.isOutdated) return false;
    if (this.#invalidations.hasMet(entry.tags, version)) {
      leases?.giveUp(key);
      return false;
    }
    if (leases !== undefined) return await leases.settle(key, entry);
    await this.store.set(key, entry);
    return true;
  }

  async #set({ op: _, ...lifetime }: Asked<"set">, text: string): Promise<string> {
    const { key } = lifetime;
    if (bytesOf(text) > this.#mostBytes) {
      this.#counts.refused.add();
      return writeReply({ is: "put", stored: false, version: 0, most: this.#mostBytes });
    }
    this.#flights.outdate([key]);
    await this.store.set(key, this.#entryOf(lifetime, text));
    this.#invalidations.add([key]);
    return writeReply({ is: "put", stored: true, version: this.#invalidations.version });
  }

  #fail({ flight: id, alone = false }: Asked<"fail">): void {
    const flight = this.#flights.heldBy(id);
    if (flight === undefined) return;
    if (alone) this.#flights.scatter(flight);
    else this.#flights.handOver(flight);
  }

  async #delete(keys: readonly string[], tags: readonly string[]): Promise<void> {
    this.#flights.outdate(keys);
    // A value that is being loaded shows its tags when it lands, which may be before the store has answered.
    if (tags.length > 0) this.#invalidations.add([], tags);
    this.#invalidations.add(await this.store.delete(keys, tags));
  }

  #turn(turn: Turn): string {
    switch (turn.is) {
      case "value":
        this.#counts.waited.add();
        return this.#value(turn.entry, turn.flight.version);
      case "load":
        this.#counts.misses.add();
        return writeReply({ is: "load", most: this.#mostBytes });
      case "alone":
        this.#counts.misses.add();
        return writeReply({ is: "alone" });
    }
  }

  #found(entry: Entry, version: number = this.#invalidations.version): string {
    this.#counts.shared.add();
    return this.#value(entry, version);
  }

  #value({ text, freshUntil }: Entry, version: number, refresh = false): string {
    const reply: Reply = {
      is: "value",
      version,
      fresh: freshUntil - this.#clock.steady(),
      refresh,
      most: this.#mostBytes,
    };
    return writeReply(reply, text);
  }

  #entryOf({ ttl, staleFor, tags }: Lifetime, text: string): TaggedEntry {
    const freshUntil = this.#clock.steady() + ttl;
    return { text, freshUntil, staleUntil: freshUntil + staleFor, tags };
  }
}
