/**
 * A cache in one thread: its first level, and what it asks the main thread.
 *
 * Invariant: a task that the main thread has given to this thread is answered, by a value or by giving it back, however
 * the question and the loading end. Should the thread be lost, the main thread sees that it waits no more at `join`.
 */
import type { Log } from "../../../runtime/log/log.ts";
import { LogPause } from "../../../runtime/log/log_pause.ts";
import { encodeJson } from "../../../runtime/message/codec.ts";
import { CallTimeoutError } from "../../../runtime/message/errors.ts";
import type { AskOptions, DependencyHost } from "../../../runtime/service/dependency.ts";
import { abortable, LONGEST_TIMER, timeLimit } from "../../../runtime/waiting/abort.ts";
import { bytesOf } from "../bounded_map.ts";
import type { ThreadOptions } from "../cache_options.ts";
import { type Lifetime, type Question, readReply, type Reply, writeQuestion } from "../frame.ts";
import { NearLevel } from "./near_level.ts";

/** Loads a value. Its signal aborts when nobody needs the value any more, or when it takes too long. */
export type Load = (options: { readonly signal: AbortSignal }) => unknown;

/** How a value is read. */
export interface ReadOptions extends Omit<Lifetime, "key"> {
  /** Milliseconds to wait while another thread loads the value. */
  readonly timeout: number;
  /** Aborting ends the wait, and tells the loader to stop. */
  readonly signal: AbortSignal;
  /** Whether a value that JSON cannot carry is an error. Otherwise it is given as it is, and not cached. */
  readonly requiresJson: boolean;
}

/** A cached value as JSON, or a value that cannot be cached. */
export type Read = { readonly text: string } | { readonly value: unknown };

/** One cache in one thread. Disposing it gives back its tasks. */
export class ThreadCache implements AsyncDisposable {
  readonly #host: DependencyHost;
  readonly #loadLimit: number;
  readonly #near: NearLevel | undefined;
  readonly #session: string = crypto.randomUUID();
  readonly #closing = new AbortController();
  readonly #pauses = new Map<string, LogPause>();
  #flights = 0;
  #hits = 0;
  #isPresent = false;
  #listens = false;

  constructor(host: DependencyHost, { near, loadLimit }: ThreadOptions) {
    this.#host = host;
    this.#loadLimit = loadLimit;
    this.#near = near && new NearLevel(near, host.clock);
  }

  /** Gives a fresh value that the thread has at hand. */
  near(key: string): string | undefined {
    const text = this.#near?.get(key);
    if (text !== undefined) this.#hits++;
    return text;
  }

  /** Reads a value, and loads it where nobody has it. */
  async read(key: string, load: Load, options: ReadOptions): Promise<Read> {
    this.#join();
    const flight = `${this.#session}/${++this.#flights}`;
    const { signal, timeout } = options;
    let reply: Reply;
    let text: string;
    try {
      const question = { op: "get", flight, key, limit: this.#loadLimit } as const;
      [reply, text] = await this.#ask(question, "", { signal, timeout });
    } catch (error) {
      // The task may be on its way.
      this.#giveBack(flight);
      if (!(error instanceof CallTimeoutError)) throw error;
      throw new CallTimeoutError(
        `Cannot get ${this.#named(key)}: another call loads it, and had no value within ${
          Math.round(timeout)
        } ms`,
        { cause: error },
      );
    }
    switch (reply.is) {
      case "value":
        if (reply.refresh) void this.#refresh(key, flight, load, options, reply.most);
        this.#keepNear(key, text, reply.fresh, reply.version);
        return { text };
      case "load":
        return await this.#load(key, flight, load, options, reply.most);
      default:
        return this.#encoded(key, await this.#run(key, load, signal), options);
    }
  }

  /** Gives the last value of a key, without loading it. */
  async last(key: string): Promise<string | undefined> {
    const [{ is }, text] = await this.#ask({ op: "last", key });
    return is === "value" ? text : undefined;
  }

  /** Keeps the latest result of a call, beside which older ones may be in flight. Never rejects. */
  async keepResult(value: unknown, lifetime: Lifetime): Promise<void> {
    try {
      const text = encodeJson(value);
      const [reply] = await this.#ask({ op: "put", ...lifetime }, text);
      this.#tellIfTooLarge(lifetime.key, text, reply);
    } catch (error) {
      this.tell(
        "keep",
        (log) => log.warning(`Cannot cache ${this.#named(lifetime.key)}: ${messageOf(error)}`),
      );
    }
  }

  /**
   * Sets a value.
   *
   * @throws {RangeError} If it is too large.
   */
  async set(text: string, lifetime: Lifetime): Promise<void> {
    const { key } = lifetime;
    const [reply] = await this.#ask({ op: "set", ...lifetime }, text);
    this.#near?.drop([key]);
    if (reply.is === "put" && reply.most !== undefined) {
      throw new RangeError(`Cannot set ${this.#named(key)}: ${tooLarge(text, reply.most)}`);
    }
  }

  /** Deletes values in all threads. This thread drops them before it asks, and again what it has read meanwhile. */
  async delete(keys: readonly string[], tags: readonly string[]): Promise<void> {
    this.#near?.drop(tags.length > 0 ? null : keys);
    await this.#ask({ op: "delete", keys, tags });
    this.#near?.drop(tags.length > 0 ? null : keys);
  }

  /** Deletes all values in all threads. */
  async clear(): Promise<void> {
    this.#near?.drop(null);
    await this.#ask({ op: "clear" });
    this.#near?.drop(null);
  }

  /** Writes to the log, once a minute at most for each topic. */
  tell(topic: string, write: (log: Log) => void): void {
    const pause = this.#pauses.get(topic) ?? new LogPause();
    this.#pauses.set(topic, pause);
    if (pause.tryBegin()) write(this.#host.log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hits > 0) await this.#ask({ op: "count" }).catch(() => {});
    this.#closing.abort();
  }

  async #load(
    key: string,
    flight: string,
    load: Load,
    options: ReadOptions,
    most: number,
  ): Promise<Read> {
    let read: Read;
    try {
      read = this.#encoded(key, await this.#run(key, load, options.signal), options);
    } catch (error) {
      this.#giveBack(flight);
      throw error;
    }
    if ("value" in read) {
      this.#giveBack(flight, true);
      return read;
    }
    const { text } = read;
    if (bytesOf(text) > most) {
      this.#giveBack(flight, true);
      this.#tellIfTooLarge(key, text, { is: "put", stored: false, version: 0, most });
      return read;
    }
    const { ttl, staleFor, tags } = options;
    try {
      const [reply] = await this.#ask({ op: "put", flight, key, ttl, staleFor, tags }, text);
      if (reply.is === "put" && reply.stored) this.#keepNear(key, text, ttl, reply.version);
    } catch (error) {
      this.#giveBack(flight);
      this.tell("put", (log) => log.warning(`Cannot cache ${this.#named(key)}: ${messageOf(error)}`));
    }
    return read;
  }

  /** Loads a value again that is stale, after its reader has got it. Never rejects. */
  async #refresh(key: string, flight: string, load: Load, options: ReadOptions, most: number): Promise<void> {
    try {
      await this.#load(key, flight, load, { ...options, signal: this.#closing.signal }, most);
    } catch (error) {
      this.tell("refresh", (log) => {
        log.warning(`Cannot load ${this.#named(key)} again, which is stale: ${messageOf(error)}`);
      });
    }
  }

  /** Runs a loader as long as it may run. */
  async #run(key: string, load: Load, parent: AbortSignal): Promise<unknown> {
    parent.throwIfAborted();
    using limit = timeLimit(this.#loadLimit, parent, this.#host.clock);
    const { signal } = limit;
    try {
      return await abortable(Promise.resolve(load({ signal })), signal);
    } catch (error) {
      if (error !== signal.reason || parent.aborted) throw error;
      throw new CallTimeoutError(
        `Cannot load ${this.#named(key)}: its loader took longer than ${this.#loadLimit} ms. ` +
          "Let it be quicker, or raise loadLimit",
      );
    }
  }

  #encoded(key: string, value: unknown, { requiresJson }: ReadOptions): Read {
    try {
      return { text: encodeJson(value) };
    } catch (error) {
      if (requiresJson) {
        throw new TypeError(`Cannot cache ${this.#named(key)}: ${messageOf(error)}`, { cause: error });
      }
      this.tell("json", (log) => log.warning(`Cannot cache ${this.#named(key)}: ${messageOf(error)}`));
      return { value };
    }
  }

  #tellIfTooLarge(key: string, text: string, reply: Reply): void {
    if (reply.is !== "put" || reply.most === undefined) return;
    const { most } = reply;
    this.tell("size", (log) => log.warning(`Cannot cache ${this.#named(key)}: ${tooLarge(text, most)}`));
  }

  /** Gives a task back; with `alone`, because its value cannot be cached. */
  #giveBack(flight: string, alone = false): void {
    void this.#ask({ op: "fail", flight, ...(alone && { alone }) }).catch(() => {});
  }

  async #ask(
    question: Question,
    text = "",
    options: AskOptions = {},
  ): Promise<readonly [reply: Reply, text: string]> {
    const hits = this.#hits;
    this.#hits = 0;
    return readReply(await this.#host.ask(writeQuestion(question, text, hits), options));
  }

  #keepNear(key: string, text: string, fresh: number, version: number): void {
    if (this.#near === undefined) return;
    this.#near.keep(key, text, fresh, version);
    void this.#listen(this.#near);
  }

  /** Says that the thread is there, until it is disposed of. Never rejects. */
  #join(): void {
    if (this.#isPresent) return;
    this.#isPresent = true;
    void this.#ask({ op: "join", session: this.#session }, "", this.#listening)
      .catch(() => {}).finally(() => this.#isPresent = false);
  }

  /** Hears what becomes invalid, as long as the main thread answers. Never rejects. */
  async #listen(near: NearLevel): Promise<void> {
    if (this.#listens) return;
    this.#listens = true;
    try {
      while (!this.#closing.signal.aborted) {
        const [news] = await this.#ask({ op: "watch", since: near.version }, "", this.#listening);
        if (news.is === "news") near.drop(news.keys, news.version);
      }
    } catch {
      near.drop(null);
    } finally {
      this.#listens = false;
    }
  }

  /** How the thread asks for what comes only once something happens. */
  get #listening(): AskOptions {
    return { signal: this.#closing.signal, timeout: LONGEST_TIMER };
  }

  #named(key: string): string {
    const text = key.startsWith('"') ? `${key}"` : key;
    return `${text.length > 100 ? `${text.slice(0, 100)}…` : text} of cache "${this.#host.key}"`;
  }
}

function tooLarge(text: string, most: number): string {
  return `it has ${
    bytesOf(text)
  } bytes, and may have ${most}. Cache less of it, or raise CACHE.max_value_bytes`;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
