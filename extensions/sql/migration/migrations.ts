import { openDriver } from "../driver/open_driver.ts";
import {
  type Kysely,
  loadMigration,
  type Migration,
  type MigrationResult,
  type Migrator,
} from "../kysely.ts";
import { KyselyFactory, providing, QueryConnection } from "../query/dialect.ts";

/** What the module of a migration exports. */
export interface MigrationModule {
  /** Brings the database to this version. */
  // deno-lint-ignore no-explicit-any -- the tables of a migration are those of its own time, which no type says
  up(db: Kysely<any>): Promise<void>;
  /** Takes back what `up` has done. */
  // deno-lint-ignore no-explicit-any -- the same
  down?(db: Kysely<any>): Promise<void>;
}

/** A migration whose module is loaded when it runs. */
export interface LazyMigration {
  /** Migrations run in the order of their names. */
  readonly name: string;
  readonly load: () => Promise<MigrationModule>;
}

/** A migration, and when it was applied; undefined if it was not. */
export interface MigrationState {
  readonly name: string;
  readonly appliedAt: Date | undefined;
}

/** A migration has failed, or those of the folder do not fit those that were applied. */
export class MigrationError extends Error {
  static {
    this.prototype.name = "MigrationError";
  }
}

/** The migrations of one database. Disposing them closes the connection. */
export class Migrations implements AsyncDisposable {
  readonly #migrator: Migrator;
  readonly #close: () => Promise<void>;

  /** Use {@linkcode Migrations.open}. */
  constructor(migrator: Migrator, close: () => Promise<void>) {
    this.#migrator = migrator;
    this.#close = close;
  }

  /**
   * Connects to a database.
   *
   * @param schema Schema of PostgreSQL in which the applied migrations are recorded. @default {that of the connection}
   * @throws {ConfigurationError} If the URI makes no sense.
   * @throws {DatabaseError} If the database does not let us in.
   */
  static async open(uri: string, migrations: readonly LazyMigration[], schema?: string): Promise<Migrations> {
    const driver = openDriver(uri);
    const { Migrator } = await loadMigration();
    const connection = await driver.connect();
    const db = new KyselyFactory(driver.dialect).kysely(
      providing(
        new QueryConnection(({ sql, parameters }) => connection.query(sql, parameters), connection),
      ),
    );
    const provider = {
      getMigrations: () =>
        Promise.resolve(Object.fromEntries(migrations.map((each) => [each.name, loading(each)]))),
    };
    const migrator = new Migrator({
      db,
      provider,
      ...(schema !== undefined && { migrationTableSchema: schema }),
    });
    return new Migrations(migrator, async () => await connection[Symbol.asyncDispose]());
  }

  /** Lists all migrations, in their order. */
  async list(): Promise<readonly MigrationState[]> {
    const all = await this.#migrator.getMigrations();
    return all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt }));
  }

  /**
   * Applies what is not applied yet. In PostgreSQL, all or nothing.
   *
   * @returns The names of what was applied.
   * @throws {MigrationError} If one fails.
   */
  async up(): Promise<readonly string[]> {
    return namesOf(await this.#migrator.migrateToLatest(), "apply");
  }

  /** Takes back the latest one that was applied. Returns and throws as {@linkcode Migrations.up} does. */
  async down(): Promise<readonly string[]> {
    return namesOf(await this.#migrator.migrateDown(), "revert");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** Lists the migrations in a folder: its modules, by their names without the ending. */
export async function migrationsIn(
  folder: URL,
  load: (url: URL) => Promise<unknown>,
): Promise<readonly LazyMigration[]> {
  const migrations: LazyMigration[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const [, own] = MODULE.exec(name) ?? [];
    if (!isFile || own === undefined) continue;
    const url = new URL(encodeURIComponent(name), `${folder.href.replace(/\/$/, "")}/`);
    migrations.push({ name: own, load: async () => await load(url) as MigrationModule });
  }
  return migrations.sort((one, other) => one.name < other.name ? -1 : 1);
}

/** A module, but for tests and declarations of types. */
const MODULE = /^(?!.*(?:\.d|[._]test)\.[mc]?[jt]s$)(.+)\.[mc]?[jt]s$/;

function loading({ name, load }: LazyMigration): Migration {
  const method = async (key: "up" | "down") => {
    const module = await load();
    if (typeof module[key] === "function") return module[key].bind(module);
    throw new MigrationError(`Its module exports no function ${key}(db). Add one to ${name}`);
  };
  return {
    up: async (db) => await (await method("up"))(db),
    down: async (db) => await (await method("down"))(db),
  };
}

function namesOf(
  { error, results = [] }: { readonly error?: unknown; readonly results?: readonly MigrationResult[] },
  action: string,
): readonly string[] {
  if (error === undefined) return results.map(({ migrationName }) => migrationName);
  const failed = results.find(({ status }) => status === "Error")?.migrationName;
  const what = failed === undefined ? "the migrations" : `migration "${failed}"`;
  const reason = error instanceof Error ? error.message : String(error);
  throw new MigrationError(`Cannot ${action} ${what}: ${reason}`, { cause: error });
}
