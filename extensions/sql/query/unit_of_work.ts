import type { Call } from "../../../runtime/service/call.ts";
import { pause } from "../../../runtime/waiting/abort.ts";
import { isConflict } from "../driver/database_error.ts";
import type { SqlIsolation } from "../driver/driver.ts";
import type { Transaction } from "../kysely.ts";
import { providing, QueryConnection } from "./dialect.ts";
import { runningTransaction } from "./running_transaction.ts";
import type { ThreadDatabase } from "./thread_database.ts";

/** Options of {@linkcode Sql.unitOfWork}. */
export interface UnitOfWorkOptions {
  /** How often the work runs again after a serialization failure or a deadlock. @default {3} */
  readonly retries?: number;
  /** How far the transaction is kept apart from others that run at the same time. @default {that of the database} */
  readonly isolation?: SqlIsolation;
  /** Aborting ends the work, beside the signal of the call. */
  readonly signal?: AbortSignal;
}

const RETRIES = 3;

/** Milliseconds of the first pause before another attempt, and of the longest. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 200;

const OPTIONS = ["retries", "isolation", "signal"];
const ISOLATIONS = ["read uncommitted", "read committed", "repeatable read", "serializable"];

/** Runs work in a transaction of its own, again if another transaction was in its way. */
export async function unitOfWork<Database, Value>(
  database: ThreadDatabase,
  call: Pick<Call, "signal" | "deadline">,
  work: (transaction: Transaction<Database>) => Promise<Value>,
  options: UnitOfWorkOptions,
): Promise<Value> {
  requireOptions(options);
  if (runningTransaction.getStore()?.uri === database.uri) {
    throw new TypeError(
      "Cannot begin a unit of work: the running code is a part of one already. Pass its transaction on",
    );
  }
  const { retries = RETRIES, isolation } = options;
  const signal = options.signal === undefined ? call.signal : AbortSignal.any([call.signal, options.signal]);
  for (let attempt = 0;; attempt++) {
    try {
      return await runOnce(database, call, work, isolation, signal);
    } catch (error) {
      if (attempt >= retries || signal.aborted || !isConflict(rootOf(error))) throw error;
    }
    await pause(Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random()), signal);
  }
}

async function runOnce<Database, Value>(
  database: ThreadDatabase,
  call: Pick<Call, "signal" | "deadline">,
  work: (transaction: Transaction<Database>) => Promise<Value>,
  isolation: SqlIsolation | undefined,
  signal: AbortSignal,
): Promise<Value> {
  const { uri, connections, kyselys } = database;
  const held = await connections.take(signal);
  const { connection } = held;
  const listeners: (() => void)[] = [];
  let hasEnded = false;
  let value: Value;
  try {
    const begun = connection.begin({
      isolation,
      timeout: database.statementTimeout(call),
      writes: true,
      signal,
    });
    // Its first query is sent together with it.
    begun.catch(() => {});
    const query = (text: string, parameters: readonly unknown[] = [], own: AbortSignal = signal) => {
      if (!hasEnded) return connection.query(text, parameters, { signal: own });
      return Promise.reject(
        new TypeError("Cannot use the transaction: its unit of work has ended. Await each query in it"),
      );
    };
    const transaction = kyselys.transaction<Database>(
      providing(
        new QueryConnection(({ sql, parameters }, options) => query(sql, parameters, options.signal)),
      ),
    );
    const running = {
      dialect: connections.driver.dialect,
      uri,
      query: (text: string, parameters?: readonly unknown[]) => query(text, parameters),
      afterCommit: (listener: () => void) => void listeners.push(listener),
    };
    value = await runningTransaction.run(running, () => work(transaction));
    await begun;
    hasEnded = true;
    await connection.commit({ signal });
  } catch (error) {
    hasEnded = true;
    await database.rollBack(held);
    throw error;
  }
  connections.give(held);
  for (const listener of listeners) listener();
  return value;
}

/** The error itself, or the one that it was made of. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined && !isConflict(error) ? error.cause : error;
}

function requireOptions(options: UnitOfWorkOptions): void {
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot begin a unit of work: it has no option "${unknown}", only ${OPTIONS.join(", ")}`,
    );
  }
  const { retries = RETRIES, isolation } = options;
  if (!Number.isInteger(retries) || retries < 0) {
    throw new TypeError(`Cannot begin a unit of work: retries is ${retries}. Give an integer, 0 or more`);
  }
  if (isolation !== undefined && !ISOLATIONS.includes(isolation)) {
    throw new TypeError(`Cannot begin a unit of work: isolation is none of ${ISOLATIONS.join(", ")}`);
  }
}
