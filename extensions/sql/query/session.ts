/**
 * The transaction of one call.
 *
 * Invariant: a call has no connection before its first query, at most one transaction, and after its end none. The first
 * query begins the transaction, and is sent together with what begins it. All queries go to the connection in the
 * order in which they are made: those that are made before there is a connection wait for the same promise.
 */
import type { Call } from "../../../runtime/service/call.ts";
import type { CallResult } from "../../../runtime/service/dependency.ts";
import type { SqlDialect, SqlQueryOptions, SqlResult } from "../driver/driver.ts";
import type { Transaction } from "../kysely.ts";
import type { HeldConnection } from "../limit/thread_connections.ts";
import { onlyReads, providing, QueryConnection } from "./dialect.ts";
import type { RunningTransaction } from "./running_transaction.ts";
import type { ThreadDatabase } from "./thread_database.ts";

/** The transaction of one call, which its first query begins. */
export class Session<Database> implements RunningTransaction {
  readonly kysely: Transaction<Database>;
  readonly #database: ThreadDatabase;
  readonly #call: Call;
  #held: HeldConnection | Promise<HeldConnection> | undefined;
  #begun: Promise<void> | undefined;
  #hasEnded = false;
  readonly #afterCommit: (() => void)[] = [];

  constructor(database: ThreadDatabase, call: Call) {
    this.#database = database;
    this.#call = call;
    const connection = new QueryConnection((query, options) =>
      this.#run(query.sql, query.parameters, !onlyReads(query), options)
    );
    this.kysely = database.kyselys.transaction<Database>(providing(connection));
  }

  get dialect(): SqlDialect {
    return this.#database.connections.driver.dialect;
  }

  get uri(): string {
    return this.#database.uri;
  }

  /** Runs a statement that changes something. */
  query(text: string, parameters: readonly unknown[] = []): Promise<SqlResult> {
    return this.#run(text, parameters, true, {});
  }

  /** Calls `listener` once the transaction is committed; not if it is rolled back. */
  afterCommit(listener: () => void): void {
    this.#afterCommit.push(listener);
  }

  /**
   * Commits what the call has done if it was successful, and rolls it back if not.
   *
   * @throws What the database says against the commit.
   */
  async end(result: CallResult): Promise<void> {
    this.#hasEnded = true;
    if (this.#held === undefined) return;
    let held: HeldConnection;
    try {
      held = await this.#held;
    } catch {
      // The query that needed the connection has failed by that.
      return;
    }
    const { signal } = this.#call;
    if (!result.ok || signal.aborted) {
      await this.#database.rollBack(held);
      if (result.ok) throw signal.reason;
      return;
    }
    try {
      await this.#begun;
      await held.connection.commit({ signal });
    } catch (error) {
      await this.#database.rollBack(held);
      throw error;
    }
    this.#database.connections.give(held);
    for (const listener of this.#afterCommit) listener();
  }

  async #run(
    text: string,
    parameters: readonly unknown[],
    writes: boolean,
    options: SqlQueryOptions,
  ): Promise<SqlResult> {
    if (this.#hasEnded) {
      const { service, method } = this.#call;
      throw new TypeError(
        `Cannot use the session of ${service}.${method}: the call has ended. Await each query in the handler`,
      );
    }
    this.#held ??= this.#database.connections.take(this.#call.signal);
    const held = "connection" in this.#held ? this.#held : this.#held = await this.#held;
    const { connection } = held;
    const signal = options.signal ?? this.#call.signal;
    if (this.#begun === undefined) {
      this.#begun = connection.begin({
        timeout: this.#database.statementTimeout(this.#call),
        writes,
        signal: this.#call.signal,
      });
      this.#begun.catch(() => {});
      const result = connection.query(text, parameters, { signal });
      result.catch(() => {});
      await this.#begun;
      return await result;
    }
    return await connection.query(text, parameters, { signal });
  }
}
