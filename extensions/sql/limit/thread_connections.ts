/**
 * The connections of one thread to one database.
 *
 * Invariant: each connection stands for a permit of the main thread's, which goes back when the connection is closed,
 * and not before. A connection that nobody uses stays open, so that the next call finds it without a question to
 * anybody, until nobody has used it for a while, or until another thread waits for one.
 *
 * While another thread waits, a connection that becomes free goes to the calls of this thread only if the main thread
 * lets it: so no thread starves.
 */
import type { DependencyHost } from "../../../runtime/service/dependency.ts";
import type { Log } from "../../../runtime/log/log.ts";
import { LONGEST_TIMER, pause, timeLimit } from "../../../runtime/waiting/abort.ts";
import { WakeTimer } from "../../../runtime/waiting/wake_timer.ts";
import { DatabaseError } from "../driver/database_error.ts";
import type { SqlConnection, SqlDriver } from "../driver/driver.ts";
import type { SqlSettings } from "../settings.ts";
import type { PermitQuestion } from "./permit_question.ts";

/** Milliseconds until a failed question is asked again. */
const ASK_AGAIN = 1_000;

/** A connection that this thread has a permit for. */
export interface HeldConnection {
  readonly connection: SqlConnection;
  /** Number of its permit. */
  readonly permit: number;
  /** When it was last used, by the clock of `performance`. */
  usedAt: number;
}

/** Options of {@linkcode ThreadConnections}. */
export interface ThreadConnectionsOptions {
  readonly driver: SqlDriver;
  readonly settings: SqlSettings;
  readonly host: Pick<DependencyHost, "ask" | "callTimeout"> & { readonly log: Pick<Log, "debug"> };
}

/** The connections of one thread to one database. Disposing it closes them. */
export class ThreadConnections implements AsyncDisposable {
  readonly driver: SqlDriver;
  readonly settings: SqlSettings;
  readonly #host: ThreadConnectionsOptions["host"];
  readonly #name = crypto.randomUUID();
  /** Connections that nobody uses; the latest used one is last. */
  readonly #idle: HeldConnection[] = [];
  /** Calls that wait for a connection; the oldest is first. */
  readonly #waiting = new Set<PromiseWithResolvers<HeldConnection>>();
  /** What opens connections for those that wait. Each ends its wait for a permit when nobody waits any more. */
  readonly #openings = new Set<AbortController>();
  readonly #closing = new Set<Promise<void>>();
  readonly #end = new AbortController();
  readonly #timer = new WakeTimer(() => this.#closeIdle(), { keepsAlive: false });
  #permits = 0;
  #hasJoined = false;
  /** Whether there is the one connection to a database of its own. */
  #hasPrivate = false;
  /** Whether another thread waits for a connection, as far as this thread knows. */
  #isWanted = false;
  #isYielding = false;

  constructor({ driver, settings, host }: ThreadConnectionsOptions) {
    this.driver = driver;
    this.settings = settings;
    this.#host = host;
  }

  /**
   * Takes a connection, at once if one is free.
   *
   * @throws {DatabaseError} If there is none in time: all are in use.
   * @throws {DatabaseUnavailableError} If the database is away.
   */
  take(signal: AbortSignal | undefined): HeldConnection | Promise<HeldConnection> {
    for (let held; (held = this.#idle.pop()) !== undefined;) {
      if (!held.connection.isBroken) return held;
      this.#close(held);
    }
    return this.#wait(signal);
  }

  /** Gives a connection back, for the next call. Whoever gives it has ended its transaction. */
  give(held: HeldConnection): void {
    if (held.connection.isBroken || this.#end.signal.aborted) return this.#close(held);
    if (!this.#isWanted && this.#hand(held)) return;
    held.usedAt = performance.now();
    this.#idle.push(held);
    if (this.driver.isPrivate) return;
    if (!this.#timer.isSet) this.#timer.by(held.usedAt + this.settings.idleTimeout);
    if (this.#isWanted) void this.#yield();
  }

  /** Closes a connection that is in no state for another call. */
  discard(held: HeldConnection): void {
    this.#close(held);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.close();
    for (const held of this.#idle.splice(0)) this.#close(held);
    await Promise.all(this.#closing);
    this.#end.abort();
  }

  async #wait(signal: AbortSignal | undefined): Promise<HeldConnection> {
    signal?.throwIfAborted();
    using limit = timeLimit(this.#host.callTimeout, signal);
    const waiter = Promise.withResolvers<HeldConnection>();
    this.#waiting.add(waiter);
    limit.signal.addEventListener("abort", () => {
      if (!this.#waiting.delete(waiter)) return;
      waiter.reject(this.#tooMany(limit.signal.reason));
      this.#withdraw();
    });
    this.#openForWaiting();
    return await waiter.promise;
  }

  /** Hands a connection to the call that waits longest; false if none waits. */
  #hand(held: HeldConnection): boolean {
    const [waiter] = this.#waiting;
    if (waiter === undefined) return false;
    this.#waiting.delete(waiter);
    waiter.resolve(held);
    this.#withdraw();
    return true;
  }

  /** Opens a connection for each call that waits, unless that is under way. */
  #openForWaiting(): void {
    // A second connection would have another database, so the one that there is serves all calls in turn.
    const isAlone = () => this.driver.isPrivate && this.#hasPrivate;
    while (this.#openings.size < this.#waiting.size && !isAlone()) void this.#open();
  }

  /** Asks for no more permits if nobody waits any more. A connection that is being opened serves a later call. */
  #withdraw(): void {
    if (this.#waiting.size === 0) { for (const opening of this.#openings) opening.abort(); }
  }

  /** Opens a connection, for the call that waits longest by then. Never rejects. */
  async #open(): Promise<void> {
    const permit = ++this.#permits;
    const opening = new AbortController();
    this.#openings.add(opening);
    this.#hasPrivate = true;
    try {
      if (!this.driver.isPrivate) {
        this.#join();
        await this.#ask(["take", this.#name, permit], LONGEST_TIMER, opening.signal);
      }
      const { connectTimeout, statementTimeout } = this.settings;
      const connection = await this.driver.connect({
        signal: this.#end.signal,
        connectTimeout,
        statementTimeout,
      });
      const held = { connection, permit, usedAt: 0 };
      // It is the turn of this thread, whoever else waits.
      if (!this.#hand(held)) this.give(held);
    } catch (error) {
      this.#hasPrivate = false;
      // It also ends the wait for a permit that has come to nothing.
      void this.#giveBack(permit);
      const [waiter] = this.#waiting;
      if (waiter !== undefined && !opening.signal.aborted) {
        this.#waiting.delete(waiter);
        waiter.reject(error);
      }
    }
    this.#openings.delete(opening);
    this.#openForWaiting();
  }

  #tooMany(cause: unknown): Error {
    const { isPrivate, address } = this.driver;
    const state = isPrivate
      ? "the one connection to a database in memory was in use. Use a file"
      : `all ${this.settings.maxConnections} that this process may have were in use. ` +
        "Raise SQL.MAX_CONNECTIONS in the configuration";
    return new DatabaseError(
      `Cannot get a connection to database ${address} in time: ${state}, or end transactions sooner`,
      { failure: "timeout", cause },
    );
  }

  /** Tells the main thread of this thread, once, and begins to listen for others that wait. */
  #join(): void {
    if (this.#hasJoined) return;
    this.#hasJoined = true;
    const { signal } = this.#end;
    this.#ask(["join", this.#name], LONGEST_TIMER, signal).catch(() => this.#hasJoined = false);
    void this.#listen(signal);
  }

  /** Hears of other threads that wait for a connection. Never rejects. */
  async #listen(signal: AbortSignal): Promise<void> {
    for (let heard = 0; !signal.aborted && this.#hasJoined;) {
      try {
        heard = Number(await this.#ask(["wanted", this.#name, heard], LONGEST_TIMER, signal));
        this.#isWanted = true;
        await this.#yield();
      } catch {
        await pause(ASK_AGAIN, signal).catch(() => {});
      }
    }
  }

  /** Gives up connections that nobody uses, as long as other threads wait for them. Never rejects. */
  async #yield(): Promise<void> {
    if (this.#isYielding) return;
    this.#isYielding = true;
    try {
      while (this.#isWanted && this.#idle.length > 0) {
        this.#isWanted = await this.#ask(["keep", this.#name]) === "no";
        const held = this.#isWanted ? this.#idle.shift() : undefined;
        if (held !== undefined) this.#close(held);
      }
    } catch (error) {
      this.#isWanted = false;
      this.#host.log.debug(`Cannot ask who needs a connection: ${(error as Error).message}`);
    } finally {
      this.#isYielding = false;
    }
    // Nobody else waits, so what is free goes to the calls of this thread.
    while (!this.#isWanted && this.#waiting.size > 0 && this.#idle.length > 0) this.give(this.#idle.pop()!);
  }

  #closeIdle(): void {
    const now = performance.now();
    const { idleTimeout } = this.settings;
    while (this.#idle[0] !== undefined && this.#idle[0].usedAt + idleTimeout <= now) {
      this.#close(this.#idle.shift()!);
    }
    if (this.#idle[0] !== undefined) this.#timer.by(this.#idle[0].usedAt + idleTimeout);
  }

  /** Closes a connection, and gives its permit back. */
  #close({ connection, permit }: HeldConnection): void {
    this.#hasPrivate = false;
    const closing = this.#finish(connection, permit).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async #finish(connection: SqlConnection, permit: number): Promise<void> {
    try {
      await connection[Symbol.asyncDispose]();
    } catch (error) {
      this.#host.log.debug(`Cannot close a connection: ${(error as Error).message}`);
    }
    await this.#giveBack(permit);
    this.#openForWaiting();
  }

  async #giveBack(permit: number): Promise<void> {
    if (!this.#hasJoined) return;
    try {
      await this.#ask(["give", this.#name, permit]);
    } catch (error) {
      this.#host.log.debug(`Cannot give a connection back: ${(error as Error).message}`);
    }
  }

  #ask(question: PermitQuestion, timeout?: number, signal?: AbortSignal): Promise<string | Uint8Array> {
    return this.#host.ask(JSON.stringify(question), {
      ...(timeout !== undefined && { timeout }),
      ...(signal !== undefined && { signal }),
    });
  }
}
