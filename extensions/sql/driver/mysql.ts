/**
 * Connections to MariaDB and MySQL over `mysql2`.
 *
 * The protocol answers one command before it takes the next, so the library queues them in order. What begins a
 * transaction is several statements in one command, which only the texts of this file may be: statements of users are
 * prepared, and a prepared statement is a single one.
 *
 * Invariant: a statement that was given up never disturbs another one. It is ended by another connection, together
 * with its own connection, which counts as broken from that moment on.
 */
import type { Connection, QueryError, QueryResult, ResultSetHeader, RowDataPacket } from "npm:mysql2@3.24.6";
import { pause } from "../../../runtime/waiting/abort.ts";
import { databaseError, DatabaseUnavailableError } from "./database_error.ts";
import type { DatabaseUri } from "./database_uri.ts";
import {
  CONNECT_TIMEOUT,
  type SqlBeginOptions,
  type SqlConnection,
  type SqlConnectOptions,
  type SqlQueryOptions,
  type SqlResult,
} from "./driver.ts";

/** Most statements that a connection keeps prepared. */
const MOST_PREPARED = 200;

/** Milliseconds that a cancellation may take. */
const CANCEL_LIMIT = 5_000;

/** The server cannot prepare such a statement. */
const UNPREPARABLE = 1295;

/** Opens a connection, as {@linkcode SqlDriver.connect} says. */
export async function connectMysql(
  uri: DatabaseUri,
  { signal, connectTimeout = CONNECT_TIMEOUT, statementTimeout }: SqlConnectOptions,
): Promise<SqlConnection> {
  signal?.throwIfAborted();
  const open = await opener(uri);
  const connection = new MysqlConnection(open(connectTimeout), open, uri.address);
  try {
    await connection.greet(statementTimeout, signal);
    return connection;
  } catch (error) {
    await connection.abandon();
    if (signal?.aborted) throw signal.reason;
    throw databaseError("mysql", uri.address, error, "Cannot reach");
  }
}

type Open = (connectTimeout: number) => Connection;

async function opener({ host, port, user, password, database, parameters }: DatabaseUri): Promise<Open> {
  const { createConnection } = await import("npm:mysql2@3.24.6");
  const charset = parameters.get("charset");
  const timezone = parameters.get("timezone");
  const ssl = parameters.get("ssl");
  return (connectTimeout) =>
    createConnection({
      host,
      connectTimeout,
      multipleStatements: true,
      supportBigNumbers: true,
      maxPreparedStatements: MOST_PREPARED,
      ...(port !== undefined && { port }),
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
      ...(database !== "" && { database }),
      ...(charset !== undefined && { charset }),
      ...(timezone !== undefined && { timezone }),
      ...(ssl !== undefined && ssl !== "false" && { ssl: {} }),
    });
}

type Done = (error: QueryError | null, result: QueryResult) => void;

class MysqlConnection implements SqlConnection {
  readonly #connection: Connection;
  readonly #open: Open;
  readonly #address: string;
  #lost = false;
  #isMariaDb = false;
  #defaultTimeout = 0;
  /** Milliseconds that the server grants a statement now; 0 for no limit. */
  #timeout = 0;
  /** What has failed if the database is away. */
  #action = "Cannot reach";
  #cancelling: Promise<void> | undefined;
  readonly #closed: Promise<void>;

  constructor(connection: Connection, open: Open, address: string) {
    this.#connection = connection;
    this.#open = open;
    this.#address = address;
    // The statements that wait for an answer fail by the error, too.
    connection.on("error", () => this.#lost = true);
    connection.on("end", () => this.#lost = true);
    this.#closed = new Promise((resolve) => streamOf(connection).once("close", resolve));
  }

  get isBroken(): boolean {
    return this.#lost;
  }

  /** Waits until the server lets us in, and sets up the connection. */
  async greet(statementTimeout: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { rows } = await this.#run(
      (done) => this.#connection.query("select version() as version", done),
      signal,
    );
    this.#isMariaDb = /mariadb/i.test(String(rows[0]?.["version"]));
    this.#action = "Lost";
    if (statementTimeout === undefined) return;
    this.#defaultTimeout = Math.max(1, Math.ceil(statementTimeout));
    const text = this.#limit(undefined);
    await this.#run((done) => this.#connection.query(text, done), signal);
  }

  async query(
    text: string,
    parameters: readonly unknown[] = [],
    { signal }: SqlQueryOptions = {},
  ): Promise<SqlResult> {
    const values = parameters.map((value) => value === undefined ? null : value);
    // deno-lint-ignore no-explicit-any -- the library checks the values itself
    const execute = (done: Done) => this.#connection.execute(text, values as any, done);
    try {
      return await this.#run(execute, signal);
    } catch (error) {
      if (!isUnpreparable(error) || values.length > 0) throw error;
      return await this.#run((done) => this.#connection.query(text, done), signal);
    }
  }

  async begin({ isolation, timeout, signal }: SqlBeginOptions = {}): Promise<void> {
    const text = [
      this.#limit(timeout),
      isolation === undefined ? "" : `set transaction isolation level ${isolation}`,
      "start transaction",
    ].filter((statement) => statement !== "").join(";");
    await this.#run((done) => this.#connection.query(text, done), signal);
  }

  async commit({ signal }: SqlQueryOptions = {}): Promise<void> {
    await this.#run((done) => this.#connection.query("commit", done), signal);
  }

  async rollback(): Promise<void> {
    await this.#run((done) => this.#connection.query("rollback", done), undefined);
  }

  /** Closes the connection at once. */
  async abandon(): Promise<void> {
    this.#lost = true;
    this.#connection.destroy();
    await this.#closed;
    await this.#cancelling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lost) return await this.abandon();
    this.#lost = true;
    this.#connection.end(() => this.#connection.destroy());
    await this.#closed;
  }

  /** Gives the statement that limits the time of statements; nothing if the limit is the same as before. */
  #limit(timeout: number | undefined): string {
    const limit = timeout === undefined
      ? this.#defaultTimeout
      : Math.min(Math.max(1, Math.ceil(timeout)), this.#defaultTimeout || Infinity);
    if (limit === this.#timeout) return "";
    this.#timeout = limit;
    return this.#isMariaDb ? `set max_statement_time=${limit / 1_000}` : `set max_execution_time=${limit}`;
  }

  #run(send: (done: Done) => unknown, signal: AbortSignal | undefined): Promise<SqlResult> {
    if (this.#lost) {
      return Promise.reject(new DatabaseUnavailableError("Lost", this.#address, "the connection is closed"));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = signal && (() => {
        reject(signal.reason);
        this.#cancel();
      });
      abort && signal.addEventListener("abort", abort);
      send((error, result) => {
        abort && signal.removeEventListener("abort", abort);
        if (error === null) return resolve(resultOf(result));
        if (error.fatal) this.#lost = true;
        reject(databaseError("mysql", this.#address, error, this.#action));
      });
    });
  }

  #cancel(): void {
    if (this.#lost) return;
    this.#lost = true;
    const { threadId } = this.#connection;
    if (typeof threadId === "number") this.#cancelling = kill(this.#open, threadId);
  }
}

function streamOf(connection: Connection): { once(event: "close", listener: () => void): void } {
  return (connection as unknown as { readonly stream: ReturnType<typeof streamOf> }).stream;
}

function isUnpreparable(error: unknown): boolean {
  return error instanceof Error && (error.cause as QueryError | undefined)?.errno === UNPREPARABLE;
}

function resultOf(result: QueryResult): SqlResult {
  if (Array.isArray(result)) {
    return { rows: result as RowDataPacket[], affected: undefined, insertId: undefined };
  }
  const { affectedRows, insertId } = result as ResultSetHeader;
  return { rows: [], affected: BigInt(affectedRows), insertId: insertId ? BigInt(insertId) : undefined };
}

/** Ends a connection, and what runs on it, from another one. Never rejects. */
async function kill(open: Open, threadId: number): Promise<void> {
  const side = open(CANCEL_LIMIT);
  const closed = new Promise<void>((resolve) => streamOf(side).once("close", resolve));
  side.on("error", () => {});
  const done = new Promise<void>((resolve) => side.query(`kill ${threadId}`, () => resolve()));
  const limit = new AbortController();
  await Promise.race([done, pause(CANCEL_LIMIT, limit.signal).catch(() => {})]);
  limit.abort();
  side.destroy();
  await closed;
}
