import type { CommandIo } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";
import { sqlPart } from "./sql_part.ts";
import type { SqlDialectName } from "./sql_dialects.ts";

/** Prints the statements that make the tables of the outbox and of the inbox. */
export async function tablesCommand(dialect: SqlDialectName, io: CommandIo): Promise<number> {
  const { loadTables } = await sqlPart("print the tables");
  const { tableStatements } = await loadTables();
  const statements = tableStatements(dialect, ["outbox", "inbox"]);
  io.writeResult(statements.map((statement) => `${statement};\n`).join("\n"));
  return EXIT.fine;
}
