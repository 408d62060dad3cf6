/**
 * What the databases have in common, as far as this extension uses them: connections, and queries on a connection.
 *
 * A driver loads its library when it first connects. It works in threads and in the main thread alike.
 */

/** The databases that there are drivers for. MariaDB speaks as MySQL does. */
export type SqlDialect = "postgres" | "mysql" | "sqlite";

/** What a statement has given. */
export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Number of rows that the statement has inserted, changed or deleted; undefined for others. */
  readonly affected: bigint | undefined;
  /** Id that the database has given to an inserted row, where its protocol tells of one: not in PostgreSQL. */
  readonly insertId: bigint | undefined;
}

/** Options of {@linkcode SqlConnection.query}. */
export interface SqlQueryOptions {
  /** Aborting ends the statement in the database, and the connection with it. */
  readonly signal?: AbortSignal | undefined;
}

/** Isolation of a transaction, as the SQL standard names it. */
export type SqlIsolation = "read uncommitted" | "read committed" | "repeatable read" | "serializable";

/** Options of {@linkcode SqlConnection.begin}. */
export interface SqlBeginOptions extends SqlQueryOptions {
  /** @default {that of the database} */
  readonly isolation?: SqlIsolation | undefined;
  /** Milliseconds that each statement of the transaction may take. @default {that of the connection} */
  readonly timeout?: number | undefined;
  /** Whether the transaction changes something. SQLite then takes its lock at once. @default {false} */
  readonly writes?: boolean | undefined;
}

/**
 * One connection to a database.
 *
 * Its methods act in the order in which they are called: none needs to be awaited before the next. PostgreSQL gets
 * what is called in one turn of the event loop in one piece. A connection does not reconnect: once it is broken,
 * everything fails, and its owner disposes it.
 */
export interface SqlConnection extends AsyncDisposable {
  /** Whether the connection is lost, or a statement on it was given up. Then it must not be used again. */
  readonly isBroken: boolean;
  /**
   * Runs one statement.
   *
   * @param parameters Values for `$1` (PostgreSQL) or `?` (the others). @default {[]}
   * @throws {DatabaseError} If the database refuses the statement.
   * @throws {DatabaseUnavailableError} If the connection is lost.
   * @throws The reason of the signal if it aborts.
   */
  query(text: string, parameters?: readonly unknown[], options?: SqlQueryOptions): Promise<SqlResult>;
  /** Begins a transaction. It throws what {@linkcode query} throws. */
  begin(options?: SqlBeginOptions): Promise<void>;
  commit(options?: SqlQueryOptions): Promise<void>;
  rollback(): Promise<void>;
}

/** Options of {@linkcode SqlDriver.connect}. */
export interface SqlConnectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the database must have let us in. @default {10_000} */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds that each statement may take. For SQLite: that it may wait for locks. @default {no limit; SQLite: 5_000} */
  readonly statementTimeout?: number | undefined;
}

/** Makes connections to one database. */
export interface SqlDriver {
  readonly dialect: SqlDialect;
  /** The URI without its password, for messages. */
  readonly address: string;
  /** Whether each connection has a database of its own, which ends with it: SQLite in memory. */
  readonly isPrivate: boolean;
  /**
   * Opens a connection.
   *
   * @throws {DatabaseUnavailableError} If the database cannot be reached, or lets nobody in now.
   * @throws {DatabaseError} If it refuses us, for example because the password is wrong.
   */
  connect(options?: SqlConnectOptions): Promise<SqlConnection>;
}

/** Milliseconds until a database must have let us in, by default. */
export const CONNECT_TIMEOUT = 10_000;
