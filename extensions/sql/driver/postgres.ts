/**
 * Connections to PostgreSQL over `pg`.
 *
 * Invariant: a statement that was given up never disturbs another one. It holds because a cancellation reaches the
 * server by a connection of its own, at any time after it was asked for, so it could hit the next statement: hence the
 * connection counts as broken from the moment of the cancellation, and its owner closes it.
 *
 * `pg` and `postgres` cost a thread the same memory; `pg` answers a quarter more statements in a second, and one of
 * its clients is one connection that does not reconnect in the middle of a transaction.
 */
import type { EventEmitter } from "node:events";
import { abortable } from "../../../runtime/waiting/abort.ts";
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

/** The parts of `pg` that this file uses. The package has no types. */
interface PgLibrary {
  readonly Client: new (options: Readonly<Record<string, unknown>>) => PgClient;
  readonly Connection: new (options: Readonly<Record<string, unknown>>) => PgWire;
}

interface PgClient extends EventEmitter {
  readonly connection: PgWire;
  readonly processID: number;
  readonly secretKey: number;
  readonly host: string;
  readonly port: number;
  readonly ssl: unknown;
  connect(): Promise<void>;
  end(): Promise<void>;
  query(
    query: {
      readonly name?: string | undefined;
      readonly text: string;
      readonly values?: readonly unknown[];
    },
    done: (error: Error | null, result: PgResult) => void,
  ): void;
}

interface PgWire extends EventEmitter {
  readonly stream: { destroy(): void; cork(): void; uncork(): void; readonly closed: boolean };
  /** The texts of prepared statements by name. */
  readonly parsedStatements: Record<string, string>;
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

interface PgResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly command: string | null;
  readonly rowCount: number | null;
}

/** Most statements that a connection keeps prepared. */
const MOST_PREPARED = 200;

/** Milliseconds that a cancellation may take. */
const CANCEL_LIMIT = 5_000;

/** What a prepared statement fails with after a table has changed, or after something has removed it. */
const STALE = /^(?:0A000|26000)$/;

const COUNTED = /^(?:INSERT|UPDATE|DELETE|MERGE)$/;

/** Opens a connection, as {@linkcode SqlDriver.connect} says. */
export async function connectPostgres(
  { host, port, user, password = "", database, address, parameters }: DatabaseUri,
  { signal, connectTimeout = CONNECT_TIMEOUT, statementTimeout }: SqlConnectOptions,
): Promise<SqlConnection> {
  signal?.throwIfAborted();
  const library = (await import("npm:pg@8.23.1")).default as PgLibrary;
  const client = new library.Client({
    host,
    port,
    user,
    // Without a password the library would look for a file with one.
    password,
    database: database || undefined,
    application_name: parameters.get("application_name") ?? "enoki",
    options: parameters.get("options"),
    ssl: sslOf(parameters.get("sslmode")),
    keepAlive: true,
    pipeline: true,
    connectionTimeoutMillis: connectTimeout,
    ...(statementTimeout !== undefined && { statement_timeout: Math.ceil(statementTimeout) }),
  });
  const connection = new PostgresConnection(client, library, address);
  try {
    await abortable(client.connect(), signal);
    return connection;
  } catch (error) {
    await connection.abandon();
    if (signal?.aborted) throw signal.reason;
    throw databaseError("postgres", address, error, "Cannot reach");
  }
}

/** `require` encrypts, and takes any certificate, as libpq does. */
function sslOf(mode: string | undefined): unknown {
  return mode === "require" ? { rejectUnauthorized: false } : mode === "verify-full";
}

class PostgresConnection implements SqlConnection {
  readonly #client: PgClient;
  readonly #library: PgLibrary;
  readonly #address: string;
  /** Names of prepared statements by text; the least recently used one is first. */
  readonly #names = new Map<string, string>();
  #named = 0;
  #lost = false;
  /** Whether what begins a transaction waits for its first query, to be sent in one piece with it. */
  #isHeldBack = false;
  #cancelling: Promise<void> | undefined;

  constructor(client: PgClient, library: PgLibrary, address: string) {
    this.#client = client;
    this.#library = library;
    this.#address = address;
    // The statements that wait for an answer fail by the error, too.
    client.on("error", () => this.#lost = true);
    client.on("end", () => this.#lost = true);
  }

  get isBroken(): boolean {
    return this.#lost;
  }

  query(
    text: string,
    parameters: readonly unknown[] = [],
    { signal }: SqlQueryOptions = {},
  ): Promise<SqlResult> {
    const result = this.#send({ name: this.#nameOf(text), text, values: parameters }, signal);
    this.#sendOff();
    return result;
  }

  async begin({ isolation, timeout, signal }: SqlBeginOptions = {}): Promise<void> {
    const begin = isolation === undefined ? "begin" : `begin isolation level ${isolation}`;
    const text = timeout === undefined
      ? begin
      : `${begin};set local statement_timeout=${Math.max(1, Math.ceil(timeout))}`;
    this.#holdBack();
    await this.#send({ text }, signal);
  }

  async commit({ signal }: SqlQueryOptions = {}): Promise<void> {
    await this.#send({ text: "commit" }, signal, (command) => {
      // So the database answers if a statement before has failed, whose error somebody has caught.
      if (command === "ROLLBACK") throw new Error("a statement of the transaction has failed before");
    });
  }

  async rollback(): Promise<void> {
    await this.#send({ text: "rollback" }, undefined);
  }

  /** Closes the connection at once. */
  async abandon(): Promise<void> {
    this.#lost = true;
    const { stream } = this.#client.connection;
    if (!stream.closed) {
      const closed = new Promise<void>((resolve) => this.#client.connection.once("end", resolve));
      stream.destroy();
      await closed;
    }
    await this.#cancelling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lost) return await this.abandon();
    this.#lost = true;
    await this.#client.end();
  }

  #send(
    query: Parameters<PgClient["query"]>[0],
    signal: AbortSignal | undefined,
    check?: (command: string | null) => void,
  ): Promise<SqlResult> {
    if (this.#lost) return Promise.reject(this.#gone());
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = signal && (() => {
        reject(signal.reason);
        this.#cancel();
      });
      abort && signal.addEventListener("abort", abort);
      this.#client.query(query, (error, result) => {
        abort && signal.removeEventListener("abort", abort);
        if (error !== null) {
          if (STALE.test(String((error as { readonly code?: unknown }).code))) this.#forgetAll();
          return reject(databaseError("postgres", this.#address, error, "Lost"));
        }
        try {
          const last = Array.isArray(result) ? result.at(-1) as PgResult : result;
          check?.(last.command);
          resolve(resultOf(last));
        } catch (fault) {
          reject(databaseError("postgres", this.#address, fault));
        }
      });
    });
  }

  #holdBack(): void {
    if (this.#isHeldBack || this.#lost) return;
    this.#isHeldBack = true;
    this.#client.connection.stream.cork();
    // Where no query follows, it goes alone.
    setImmediate(() => this.#sendOff());
  }

  #sendOff(): void {
    if (!this.#isHeldBack) return;
    this.#isHeldBack = false;
    this.#client.connection.stream.uncork();
  }

  /** Names a statement, so that the database prepares it once. */
  #nameOf(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) {
      this.#names.delete(text);
      this.#names.set(text, known);
      return known;
    }
    if (this.#names.size >= MOST_PREPARED) this.#forget();
    const name = `e${this.#named++}`;
    this.#names.set(text, name);
    return name;
  }

  /** Forgets the statement that was used least recently. */
  #forget(): void {
    const [text, name] = this.#names.entries().next().value!;
    this.#names.delete(text);
    // In a transaction that has failed, the database refuses this, and keeps one statement more.
    this.#client.query({ text: `deallocate "${name}"` }, () => {
      delete this.#client.connection.parsedStatements[name];
    });
  }

  #forgetAll(): void {
    while (this.#names.size > 0) this.#forget();
  }

  #cancel(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#cancelling = sendCancel(this.#client, this.#library);
  }

  #gone(): Error {
    return new DatabaseUnavailableError("Lost", this.#address, "the connection is closed");
  }
}

function resultOf({ rows, command, rowCount }: PgResult): SqlResult {
  const isCounted = command !== null && COUNTED.test(command);
  return { rows, affected: isCounted ? BigInt(rowCount ?? 0) : undefined, insertId: undefined };
}

/** Asks the server to end what runs on a connection. Never rejects. */
function sendCancel({ host, port, ssl, processID, secretKey }: PgClient, library: PgLibrary): Promise<void> {
  return new Promise((resolve) => {
    const side = new library.Connection({ ssl });
    const timer = setTimeout(() => side.stream.destroy(), CANCEL_LIMIT);
    const end = () => {
      clearTimeout(timer);
      side.stream.destroy();
      resolve();
    };
    const cancel = () => side.cancel(processID, secretKey);
    side.on("error", end);
    side.on("end", end);
    side.on("connect", () => ssl ? side.requestSsl() : cancel());
    side.on("sslconnect", cancel);
    side.connect(port, host);
  });
}
