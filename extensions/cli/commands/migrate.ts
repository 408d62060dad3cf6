import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Section } from "../../../runtime/config/section.ts";
import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import { maskTextSecrets } from "../../../runtime/log/secrets.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { CommandIo } from "../command_io.ts";
import type { Migrations } from "../../sql/migration/migrations.ts";
import { commandConfig } from "../flags/config_flags.ts";
import type { ConfigFlags } from "./config.ts";
import type { MigrateAction } from "./migrate_actions.ts";
import { type SqlHalf, sqlPart } from "./sql_part.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { formatRows } from "../view/table.ts";

/** Flags of `sql migrate`. */
export interface MigrateFlags extends Pick<ConfigFlags, "config" | "define"> {
  readonly service?: string;
  readonly uri?: string;
  readonly folder?: string;
}

/** Applies the migrations of a folder, lists them, or takes back the latest one. */
export async function migrateCommand(
  action: MigrateAction,
  flags: MigrateFlags,
  io: CommandIo,
): Promise<number> {
  try {
    const half = await sqlPart("migrate");
    const uri = flags.uri ?? await configuredUri(half, flags, io);
    await using migrations = await openMigrations(half, uri, flags.folder ?? "migrations");
    return await act(action, migrations, io);
  } catch (error) {
    const { status, text } = failureOf(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}

async function act(action: MigrateAction, migrations: Migrations, io: CommandIo): Promise<number> {
  if (action === "status") {
    io.writeResult(formatRows(await migrations.list(), [
      { title: "MIGRATION", text: ({ name }) => name },
      { title: "APPLIED", text: ({ appliedAt }) => appliedAt?.toISOString() ?? "no" },
    ]));
    return EXIT.fine;
  }
  const names = action === "up" ? await migrations.up() : await migrations.down();
  for (const name of names) {
    io.writeResult(`${action === "up" ? "Applied" : "Reverted"} ${escapeControls(name)}\n`);
  }
  if (names.length === 0) {
    io.writeMessage(action === "up" ? "All migrations are applied already\n" : "No migration is applied\n");
  }
  return EXIT.fine;
}

async function configuredUri(
  { sqlSettings, databaseOf }: SqlHalf,
  { service, ...sources }: MigrateFlags,
  io: CommandIo,
): Promise<string> {
  const { config } = await commandConfig(sources, io);
  const settings = sqlSettings(new Section(config));
  if (service !== undefined) {
    const [own, name] = service.split(":");
    return databaseOf(settings, own!, name);
  }
  if (settings.uri !== undefined) return settings.uri;
  const uris = [...new Set(Object.values(settings.uris))];
  if (uris.length === 1) return uris[0]!;
  const state = uris.length === 0
    ? "the configuration has neither SQL nor DB_URIS"
    : `DB_URIS names ${uris.length} databases`;
  throw new ConfigurationError(
    `Cannot tell which database to migrate: ${state}. Name one by --service or --uri`,
  );
}

async function openMigrations({ loadMigrations }: SqlHalf, uri: string, folder: string): Promise<Migrations> {
  const { migrationsIn, Migrations } = await loadMigrations();
  const path = resolve(folder);
  const load = async (url: URL) => {
    const { loadOperatorModule } = await import("../../loaded_extensions.ts");
    return await loadOperatorModule(url, { modules: {} }, "migration");
  };
  const files = await migrationsIn(pathToFileURL(path), load).catch((error) => {
    throw new ConfigurationError(
      `Cannot read the folder of migrations ${path}: ${(error as Error).message}. Name it by --folder`,
    );
  });
  return await Migrations.open(uri, files);
}

/** Says what has failed. The errors of the part are told by their names, because it is not loaded here. */
function failureOf(error: unknown): { readonly status: number; readonly text: string } {
  if (!(error instanceof Error)) return reportFailure(error);
  const { name, message } = error;
  const text = maskTextSecrets(escapeControls(message));
  if (name === "DatabaseUnavailableError") return { status: EXIT.unreachable, text };
  if (name === "MigrationError" || name === "DatabaseError") return { status: EXIT.remoteFailure, text };
  return reportFailure(error);
}
