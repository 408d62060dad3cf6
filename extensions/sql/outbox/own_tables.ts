import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { INBOX_TABLES } from "../inbox/inbox_table.ts";
import { isUnavailable } from "../driver/database_error.ts";
import type { SqlConnection, SqlDialect, SqlDriver } from "../driver/driver.ts";
import { OUTBOX_TABLES } from "./outbox_table.ts";

/** Tables of this extension. */
export type OwnTable = "outbox" | "inbox";

const STATEMENTS: Readonly<Record<OwnTable, Readonly<Record<SqlDialect, readonly string[]>>>> = {
  outbox: OUTBOX_TABLES,
  inbox: INBOX_TABLES,
};

/** What fails while a table is missing. */
const PROBES: Readonly<Record<OwnTable, Readonly<Record<SqlDialect, string>>>> = {
  outbox: {
    postgres: "select 1 from enoki_outbox where 1 = 0",
    mysql: "select 1 from enoki_outbox, enoki_outbox_key where 1 = 0",
    sqlite: "select 1 from enoki_outbox where 1 = 0",
  },
  inbox: {
    postgres: "select 1 from enoki_inbox where 1 = 0",
    mysql: "select 1 from enoki_inbox where 1 = 0",
    sqlite: "select 1 from enoki_inbox where 1 = 0",
  },
};

/** Gives the statements that make tables, each of which may run although the table is there. */
export function tableStatements(dialect: SqlDialect, tables: readonly OwnTable[]): readonly string[] {
  return tables.flatMap((table) => STATEMENTS[table][dialect]);
}

/**
 * Makes the tables that are missing.
 *
 * @throws {ConfigurationError} If our user may not make them.
 * @throws {DatabaseUnavailableError} If the database cannot be reached.
 */
export async function ensureTables(
  driver: SqlDriver,
  tables: readonly OwnTable[],
): Promise<void> {
  await using connection = await driver.connect();
  for (const table of tables) await ensure(driver, connection, table);
}

async function ensure(
  { dialect, address }: SqlDriver,
  connection: SqlConnection,
  table: OwnTable,
): Promise<void> {
  const probe = () => connection.query(PROBES[table][dialect]);
  if (await succeeds(probe)) return;
  const statements = STATEMENTS[table][dialect];
  try {
    for (const statement of statements) await connection.query(statement);
  } catch (error) {
    // Another instance may have made them in the same moment.
    if (isUnavailable(error)) throw error;
    if (await succeeds(probe)) return;
    throw new ConfigurationError(
      `Cannot keep an ${table} in database ${address}: its tables are missing, and to make them failed ` +
        `(${(error as Error).message}). Have somebody who may make them run: ${onOneLine(statements)}`,
      { cause: error },
    );
  }
}

async function succeeds(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return false;
  }
}

function onOneLine(statements: readonly string[]): string {
  return statements.map((statement) => `${statement.replace(/\s+/g, " ")};`).join(" ");
}
