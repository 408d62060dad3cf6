/**
 * Connections to SQLite, which Deno has built in.
 *
 * SQLite answers at once, in the thread that asks. Where another connection holds a lock, SQLite could wait only by
 * blocking its thread, and the lock may be held by another call of the same thread. So this file waits in its place: it
 * tries again after pauses that grow. While a statement waits, the later ones of its connection stand behind it.
 *
 * A transaction that has read already does not wait for a lock: what it has read may be out of date by then, and SQLite
 * would refuse it after the wait. It fails at once, as a conflict.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { pause } from "../../../runtime/waiting/abort.ts";
import { databaseError, DatabaseUnavailableError, isLocked } from "./database_error.ts";
import type { DatabaseUri } from "./database_uri.ts";
import type {
  SqlBeginOptions,
  SqlConnection,
  SqlConnectOptions,
  SqlQueryOptions,
  SqlResult,
} from "./driver.ts";

/** Milliseconds that a statement waits for a lock, by default. */
const LOCK_TIMEOUT = 5_000;

/** Milliseconds of the shortest and the longest pause between two attempts. */
const SHORTEST_PAUSE = 1;
const LONGEST_PAUSE = 25;

/** Most statements that a connection keeps prepared. */
const MOST_PREPARED = 200;

const IN_MEMORY = ":memory:";

/** What the types of Deno leave out. Versions before 2.5 lack it, and a binary may be made of one of them. */
type Statement = StatementSync & { columns?(): readonly unknown[] };

/** A statement that gives rows, as far as its text tells. */
const READING = /^\s*(?:select|with|values|pragma|explain)\b|\breturning\b/i;

const NO_TRANSACTION = /no transaction is active/;

/** Opens a connection, as {@linkcode SqlDriver.connect} says. */
export async function connectSqlite(
  { database, address }: DatabaseUri,
  { signal, statementTimeout = LOCK_TIMEOUT }: SqlConnectOptions,
): Promise<SqlConnection> {
  signal?.throwIfAborted();
  const { DatabaseSync } = await import("node:sqlite");
  let opened: DatabaseSync;
  try {
    opened = new DatabaseSync(database);
  } catch (error) {
    if (!(error instanceof Error) || error.name === "NotCapable") throw error;
    throw new DatabaseUnavailableError("Cannot open", address, error.message, { cause: error });
  }
  const connection = new SqliteConnection(opened, address, statementTimeout);
  try {
    // Readers and a writer then do not wait for each other. The file remembers it.
    if (database !== IN_MEMORY) await connection.query("pragma journal_mode=wal", [], { signal });
    return connection;
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

class SqliteConnection implements SqlConnection {
  readonly #database: DatabaseSync;
  readonly #address: string;
  readonly #lockTimeout: number;
  /** Statements by text; the least recently used one is first. */
  readonly #statements = new Map<string, Statement>();
  /** The statement that waits for a lock, with those behind it. */
  #waiting: Promise<unknown> | undefined;
  #transactionTimeout: number | undefined;
  #inTransaction = false;
  /** Whether no transaction has read anything, so that waiting is of use. */
  #isFresh = true;
  #closed = false;

  constructor(database: DatabaseSync, address: string, lockTimeout: number) {
    this.#database = database;
    this.#address = address;
    this.#lockTimeout = lockTimeout;
  }

  get isBroken(): boolean {
    return this.#closed;
  }

  query(
    text: string,
    parameters: readonly unknown[] = [],
    { signal }: SqlQueryOptions = {},
  ): Promise<SqlResult> {
    return this.#inOrder(() => {
      const result = this.#statement(text, parameters);
      this.#isFresh = !this.#inTransaction;
      return result;
    }, signal);
  }

  async begin({ writes = false, timeout, signal }: SqlBeginOptions = {}): Promise<void> {
    await this.#inOrder(() => {
      this.#transactionTimeout = timeout;
      this.#isFresh = true;
      this.#database.exec(writes ? "begin immediate" : "begin");
      this.#inTransaction = true;
    }, signal);
  }

  async commit({ signal }: SqlQueryOptions = {}): Promise<void> {
    await this.#inOrder(() => {
      // A reader that has not ended yet may be in the way, and waiting for it is of use.
      this.#isFresh = true;
      this.#database.exec("commit");
      this.#inTransaction = false;
      this.#transactionTimeout = undefined;
    }, signal);
  }

  async rollback(): Promise<void> {
    await this.#inOrder(() => {
      this.#isFresh = true;
      this.#transactionTimeout = undefined;
      this.#inTransaction = false;
      try {
        this.#database.exec("rollback");
      } catch (error) {
        // Some errors have ended the transaction already.
        if (!NO_TRANSACTION.test((error as Error).message)) throw error;
      }
    }, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#waiting?.catch(() => {});
    this.#statements.clear();
    this.#database.close();
  }

  /** Acts now, or behind what waits for a lock. */
  #inOrder<Value>(act: () => Value, signal: AbortSignal | undefined): Promise<Value> {
    if (this.#waiting === undefined) {
      try {
        this.#requireOpen();
        signal?.throwIfAborted();
        return Promise.resolve(act());
      } catch (error) {
        if (!this.#canWaitFor(error)) return Promise.reject(this.#explain(error, signal));
      }
    }
    const before = this.#waiting ?? Promise.resolve();
    const attempt = before.then(() => this.#persist(act, signal));
    const settled = attempt.then(() => {}, () => {}).finally(() => {
      if (this.#waiting === settled) this.#waiting = undefined;
    });
    this.#waiting = settled;
    return attempt;
  }

  /** Tries until no other connection holds a lock. */
  async #persist<Value>(act: () => Value, signal: AbortSignal | undefined): Promise<Value> {
    const end = performance.now() + Math.min(this.#transactionTimeout ?? Infinity, this.#lockTimeout);
    for (let wait = SHORTEST_PAUSE;; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
      try {
        this.#requireOpen();
        signal?.throwIfAborted();
        return act();
      } catch (error) {
        const left = end - performance.now();
        if (!this.#canWaitFor(error) || left <= 0) throw this.#explain(error, signal);
        await pause(Math.min(wait * (0.5 + Math.random()), left), signal);
      }
    }
  }

  #canWaitFor(error: unknown): boolean {
    return this.#isFresh && error instanceof Error && isLocked(error);
  }

  #explain(error: unknown, signal: AbortSignal | undefined): unknown {
    return signal?.aborted ? signal.reason : databaseError("sqlite", this.#address, error);
  }

  #requireOpen(): void {
    if (this.#closed) throw new DatabaseUnavailableError("Lost", this.#address, "the connection is closed");
  }

  #statement(text: string, parameters: readonly unknown[]): SqlResult {
    const statement = this.#prepared(text);
    const values = parameters.map(valueOf);
    const givesRows = statement.columns === undefined ? READING.test(text) : statement.columns().length > 0;
    if (givesRows) {
      // The rows of SQLite have no prototype, which makes them unequal to those of others.
      const rows = statement.all(...values).map((row) => ({ ...row }));
      return { rows, affected: undefined, insertId: undefined };
    }
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], affected: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  #prepared(text: string): Statement {
    const known = this.#statements.get(text);
    const statement = known ?? this.#database.prepare(text) as Statement;
    if (known !== undefined) this.#statements.delete(text);
    else if (this.#statements.size >= MOST_PREPARED) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    this.#statements.set(text, statement);
    return statement;
  }
}

/** SQLite has neither booleans nor dates. */
function valueOf(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.toISOString();
  return (value ?? null) as SQLInputValue;
}
