/**
 * The errors of databases. This is the one place that knows what the codes of each database mean.
 */
import type { SqlDialect } from "./driver.ts";

/**
 * What the failure of a statement means for code that may try again.
 *
 * - `conflict`: another transaction was in the way (a serialization failure, a deadlock, a lock that was not given
 *   up). The same transaction may succeed if it runs again from its beginning.
 * - `timeout`: the statement took too long.
 * - `unavailable`: the database cannot be reached, or the connection to it was lost.
 * - `refused`: the database refuses the statement.
 */
export type DatabaseFailure = "conflict" | "timeout" | "unavailable" | "refused";

/** Options of the {@linkcode DatabaseError} constructor. */
export interface DatabaseErrorOptions extends ErrorOptions {
  /** What has failed, whatever the database. */
  readonly failure: DatabaseFailure;
  /** The code that the database has given. */
  readonly code?: string | undefined;
}

/** A database has refused or given up a statement. The cause is the error of the driver. */
export class DatabaseError extends Error {
  static {
    this.prototype.name = "DatabaseError";
  }
  /** What has failed, whatever the database. */
  readonly failure: DatabaseFailure;
  /** Code of the database: `23505` of PostgreSQL, `ER_DUP_ENTRY` of MariaDB and MySQL; undefined for SQLite. */
  readonly code: string | undefined;

  /** Makes the error of a statement that the database has refused. */
  constructor(message: string, { failure, code, ...options }: DatabaseErrorOptions) {
    super(message, options);
    this.failure = failure;
    this.code = code;
  }
}

/** The database cannot be reached, or the connection to it was lost. */
export class DatabaseUnavailableError extends DatabaseError {
  static {
    this.prototype.name = "DatabaseUnavailableError";
  }
  /** The same call may succeed if the caller repeats it. */
  readonly retryable = true;

  /**
   * Makes the error of a database that cannot be reached.
   *
   * @param action What has failed, for example `Cannot reach`.
   * @param address URI of the database without its password.
   */
  constructor(action: string, address: string, reason: string, options: ErrorOptions = {}) {
    super(
      `${action} database ${address}: ${reason}. Start it, or correct its URI in the configuration (SQL, DB_URIS)`,
      { ...options, failure: "unavailable", code: codeOf(options.cause) },
    );
  }
}

/** Whether a transaction that has failed by this error may succeed if it runs again. */
export function isConflict(error: unknown): boolean {
  return failureOf(error) === "conflict";
}

/** Whether the database was away. */
export function isUnavailable(error: unknown): boolean {
  return failureOf(error) === "unavailable";
}

/** Reads the field, because a service may have its own copy of the class. */
function failureOf(error: unknown): unknown {
  return error instanceof Error && "failure" in error ? error.failure : undefined;
}

/** Serialization failure, deadlock, a lock that was not available. */
const POSTGRES_CONFLICTS = /^(?:40001|40P01|55P03)$/;

/** Class 08, shutdowns, a server that is not ready yet, too many connections. */
const POSTGRES_ABSENCES = /^(?:08...|57P0[1-5]|53300)$/;
const POSTGRES_TIMEOUT = "57014";

/** Deadlock, lock wait timeout, a record that has changed since the snapshot. */
const MYSQL_CONFLICTS: ReadonlySet<unknown> = new Set([1213, 1205, 1020]);

/** Too many connections, a shutdown, a killed connection, idle for too long. */
const MYSQL_ABSENCES: ReadonlySet<unknown> = new Set([1040, 1203, 1053, 1927, 4031]);

/** The time of a statement in MariaDB and in MySQL. */
const MYSQL_TIMEOUTS: ReadonlySet<unknown> = new Set([1969, 3024]);

const SYSTEM_ERRORS =
  /^(?:ECONN\w+|EPIPE|ENOTFOUND|EAI_\w+|ETIMEDOUT|E(?:HOST|NET)UNREACH|EADDRNOTAVAIL|ENOENT|PROTOCOL_\w+)$/;

/** Judges the error of a driver. */
function failureOfDriver(dialect: SqlDialect, error: DriverError): DatabaseFailure {
  if (SYSTEM_ERRORS.test(String(error.code)) || error.fatal === true && error.errno === undefined) {
    return "unavailable";
  }
  switch (dialect) {
    case "postgres": {
      const code = String(error.code ?? "");
      if (POSTGRES_CONFLICTS.test(code)) return "conflict";
      // A table has changed since the statement was prepared. It is prepared anew for the next transaction.
      if (error.routine === "RevalidateCachedQuery") return "conflict";
      if (POSTGRES_ABSENCES.test(code)) return "unavailable";
      if (code === POSTGRES_TIMEOUT) return "timeout";
      // The library's own errors have no code, and tell of the connection.
      return /^(?:connection|client|timeout)\b/i.test(error.message) && code === ""
        ? "unavailable"
        : "refused";
    }
    case "mysql":
      if (MYSQL_CONFLICTS.has(error.errno)) return "conflict";
      if (MYSQL_ABSENCES.has(error.errno)) return "unavailable";
      return MYSQL_TIMEOUTS.has(error.errno) ? "timeout" : "refused";
    case "sqlite":
      return isLocked(error) ? "conflict" : "refused";
  }
}

/** Whether another connection holds a lock of SQLite. Deno's errors have no other sign of it than their message. */
export function isLocked(error: Error): boolean {
  return /\b(?:database|database table|database schema)(?: \S+)? is locked\b/.test(error.message);
}

/** An error of any of the libraries. */
interface DriverError extends Error {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly fatal?: unknown;
  readonly routine?: unknown;
}

/**
 * Makes an error of ours of that of a driver.
 *
 * @param address URI of the database without its password.
 * @param action What has failed, if the database was away. @default {"Cannot use"}
 */
export function databaseError(
  dialect: SqlDialect,
  address: string,
  thrown: unknown,
  action = "Cannot use",
): DatabaseError {
  if (thrown instanceof DatabaseError) return thrown;
  const error = thrown instanceof Error ? thrown as DriverError : new Error(String(thrown));
  const failure = failureOfDriver(dialect, error);
  if (failure === "unavailable") {
    return new DatabaseUnavailableError(action, address, reasonOf(error), { cause: error });
  }
  return new DatabaseError(error.message, { failure, code: codeOf(error), cause: error });
}

/** Several addresses of a host give an error without a message, with one error for each address. */
function reasonOf(error: Error): string {
  const message = error.message !== "" ? error.message : (error as AggregateError).errors?.[0]?.message;
  return String(message ?? codeOf(error) ?? "the connection was lost").replace(/[.\s]+$/, "");
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as DriverError).code : undefined;
  return typeof code === "string" && !code.startsWith("ERR_SQLITE") ? code : undefined;
}
