/**
 * Writes messages into the outbox, in the transaction of their call.
 *
 * Invariant: the rows of one key have their ids in the order in which their transactions are committed. It holds because
 * a transaction that writes under a key takes a lock of that key first, which it has until its end: the next one gets
 * its id only then. The lock is one for transactions in PostgreSQL, a row in MariaDB and MySQL, and in SQLite it is
 * that of the database, which has one writer at a time. Keys that have one hash share a lock, which only costs time.
 */
import type { Message } from "../../../runtime/message/transport.ts";
import type { SqlDialect } from "../driver/driver.ts";
import type { RunStatement } from "../inbox/inbox_writer.ts";
import { columnsOf, MESSAGE_COLUMNS } from "./stored_message.ts";
import { statementFor } from "./statement.ts";

const INSERT = `insert into enoki_outbox (${MESSAGE_COLUMNS}, service, written_at) ` +
  "values (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/** Statements that take the lock of a key. */
const LOCKS: Readonly<Record<SqlDialect, string | undefined>> = {
  postgres: "select pg_advisory_xact_lock(hashtextextended($1, 0))",
  mysql:
    "insert into enoki_outbox_key (bucket) values (crc32(?) & 65535) on duplicate key update bucket = bucket",
  sqlite: undefined,
};

/** Writes a message. It is sent if the transaction is committed. */
export async function writeMessage(
  dialect: SqlDialect,
  run: RunStatement,
  service: string,
  message: Message,
  key: string | number | undefined,
): Promise<void> {
  const lock = LOCKS[dialect];
  const locked = key === undefined || lock === undefined
    ? undefined
    : run(lock, [`enoki_outbox ${service} ${key}`]);
  // Whoever writes waits for both: a connection runs its statements in order.
  const inserted = run(statementFor(dialect, INSERT), [...columnsOf(message), service, Date.now()]);
  await Promise.all([locked, inserted]);
}
