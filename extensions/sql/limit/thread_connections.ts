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
import { LONGEST_TIMER, pause } from "../../../runtime/waiting/abort.ts";
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

/** A call that waits for a connection. */
interface Waiter {
  readonly settle: PromiseWithResolvers<HeldConnection>;
  /** Ends what goes on for the waiter: the question for a permit, or the opening of a connection. */
  readonly over: AbortController;
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
  readonly #waiting = new Set<Waiter>();
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
    const [waiter] = this.#waiting;
    if (waiter !== undefined && !this.#isWanted) {
      this.#waiting.delete(waiter);
      waiter.settle.resolve(held);
      waiter.over.abort();
      return;
    }
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
    const waiter: Waiter = { settle: Promise.withResolvers(), over: new AbortController() };
    this.#waiting.add(waiter);
    const leave = () => {
      if (this.#waiting.delete(waiter)) waiter.settle.reject(this.#tooMany(signal!.reason));
      waiter.over.abort();
    };
    signal?.addEventListener("abort", leave, { once: true });
    // A second connection would have another database, so the one that there is serves all calls in turn.
    if (!this.driver.isPrivate || !this.#hasPrivate) void this.#open(waiter);
    try {
      return await waiter.settle.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /** Opens a connection for a waiter, or for whoever needs it by then. Never rejects. */
  async #open(waiter: Waiter): Promise<void> {
    const permit = ++this.#permits;
    const { signal } = waiter.over;
    this.#hasPrivate = true;
    try {
      if (!this.driver.isPrivate) await this.#take(permit, signal);
      const { connectTimeout, statementTimeout } = this.settings;
      const connection = await this.driver.connect({ signal, connectTimeout, statementTimeout });
      this.#waiting.delete(waiter);
      const held = { connection, permit, usedAt: 0 };
      if (signal.aborted) this.give(held);
      else waiter.settle.resolve(held);
    } catch (error) {
      this.#hasPrivate = false;
      // It also ends the wait for a permit that has come to nothing.
      void this.#giveBack(permit);
      if (this.#waiting.delete(waiter)) waiter.settle.reject(error);
    }
  }

  async #take(permit: number, signal: AbortSignal): Promise<void> {
    const { callTimeout } = this.#host;
    this.#join();
    try {
      await this.#ask(["take", this.#name, permit], callTimeout, signal);
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      throw code === "TIMEOUT" && !signal.aborted ? this.#tooMany(error) : error;
    }
  }

  #tooMany(cause: unknown): Error {
    return new DatabaseError(
      `Cannot get a connection to database ${this.driver.address} in time: all ${this.settings.maxConnections} ` +
        "that this process may have were in use. Raise SQL.MAX_CONNECTIONS in the configuration, " +
        "or end transactions sooner",
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
