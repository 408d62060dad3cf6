/**
 * Notes the ids of messages in the transaction of their handler.
 *
 * Invariant: of all transactions that note one id, one is committed. It holds because the id is under a unique key: a
 * transaction that notes an id which another one has noted waits for the end of that one, in each of the databases. If
 * that one is committed, the id is known; if it is rolled back, the id is free, and so are the effects.
 */
import type { SqlDialect, SqlResult } from "../driver/driver.ts";
import { statementFor } from "../outbox/statement.ts";

/** Runs one statement in a transaction. */
export type RunStatement = (text: string, parameters: readonly unknown[]) => Promise<SqlResult>;

/** What is noted of a message. */
export interface NotedMessage {
  readonly service: string;
  readonly method: string;
  readonly id: string;
  /** Seconds that it must be remembered. */
  readonly keepFor: number;
}

/** Notes a message. Resolves with false if it has been noted before. */
export async function noteMessage(
  dialect: SqlDialect,
  run: RunStatement,
  { service, method, id, keepFor }: NotedMessage,
): Promise<boolean> {
  const values = [service, method, id, Date.now() + Math.ceil(keepFor * 1_000)];
  try {
    const { affected } = await run(TEXTS[dialect], values);
    return affected === 1n;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

const INSERT = "insert into enoki_inbox (service, method, id, forget_at) values (?, ?, ?, ?)";

const TEXTS: Readonly<Record<SqlDialect, string>> = {
  postgres: statementFor("postgres", `${INSERT} on conflict do nothing`),
  // `insert ignore` would also ignore that an id is too long.
  mysql: INSERT,
  sqlite: `${INSERT} on conflict do nothing`,
};

/** Such an error of MariaDB and MySQL leaves the transaction as it is. The service may have its own copy of the class. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && (error as { readonly code?: unknown }).code === "ER_DUP_ENTRY";
}
