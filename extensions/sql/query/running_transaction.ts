import { AsyncLocalStorage } from "node:async_hooks";
import type { SqlDialect, SqlResult } from "../driver/driver.ts";

/** The transaction of a unit of work that runs. */
export interface RunningTransaction {
  readonly dialect: SqlDialect;
  /** URI of the database with its password, which tells databases apart. Never print it. */
  readonly uri: string;
  /** Runs a statement in the transaction. */
  query(text: string, parameters?: readonly unknown[]): Promise<SqlResult>;
  /** Calls `listener` once the transaction is committed; not if it is rolled back. */
  afterCommit(listener: () => void): void;
}

/** The transaction of the unit of work that the running code is a part of. */
export const runningTransaction: AsyncLocalStorage<RunningTransaction> = new AsyncLocalStorage();
