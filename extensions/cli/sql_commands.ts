/** The commands for databases. Their code loads when they run. */
import type { CommandIo } from "./command_io.ts";
import { examples, subcommand, withConfig } from "./command_options.ts";
import { Argument, type Command, Option } from "./commander.ts";
import { MIGRATE_ACTIONS } from "./commands/migrate_actions.ts";
import { SQL_DIALECTS } from "./commands/sql_dialects.ts";

/** Adds `sql migrate` and `sql tables`. */
export function addSqlCommands(program: Command, io: CommandIo, end: (status: number) => void): void {
  const sql = subcommand(program, "sql", "change the tables of a database, in the order of its migrations")
    .usage("migrate|tables [options] [argument]")
    .helpCommand(false);
  withConfig(subcommand(sql, "migrate", "apply the migrations that are not applied yet"))
    .addArgument(
      new Argument("[action]", "apply all, list them, or take back the latest (default: up)").choices(
        MIGRATE_ACTIONS,
      ),
    )
    .option("--service <name>", "service whose database it is, as DB_URIS names it (default: SQL)")
    .addOption(new Option("--uri <uri>", "URI of the database").conflicts("service"))
    .option("--folder <path>", "folder of the migrations (default: migrations)")
    .showHelpAfterError(`See ${io.program} sql migrate --help`)
    .addHelpText(
      "after",
      examples(io, [
        ["sql migrate --config app.yaml", "apply those in ./migrations"],
        ["sql migrate --config app.yaml --service orders status", "which of them are applied"],
        ["sql migrate --uri postgres://postgres@127.0.0.1/shop down", "take back the latest"],
      ]) +
        "\n\nA migration is a module with functions up(db) and down(db), which get a Kysely." +
        "\nExit status: 0 fine, 1 a migration failed, 2 usage, 3 no database.",
    )
    .action(async (action, flags) => {
      const { migrateCommand } = await import("./commands/migrate.ts");
      end(await migrateCommand(action ?? "up", flags, io));
    });
  subcommand(sql, "tables", "print the statements that make the tables of an outbox and an inbox")
    .addArgument(new Argument("<database>", "kind of the database").choices(SQL_DIALECTS))
    .showHelpAfterError(`See ${io.program} sql tables --help`)
    .addHelpText(
      "after",
      examples(io, [["sql tables postgres", "for PostgreSQL"], [
        "sql tables mysql",
        "for MariaDB and MySQL",
      ]]) +
        "\n\nA service makes the tables itself where its user may. Each statement may run again.",
    )
    .action(async (dialect) => {
      const { tablesCommand } = await import("./commands/sql_tables.ts");
      end(await tablesCommand(dialect, io));
    });
}
