import type { Kysely } from "../kysely.ts";
import type { MigrationModule } from "../migration/migrations.ts";
import type { Sql } from "../sql.ts";

/** Options of {@linkcode testDatabase}. */
export interface TestDatabaseOptions {
  /** URL of the folder of migrations, or the migrations by name. @default {an empty database} */
  readonly migrations?: URL | Readonly<Record<string, MigrationModule>>;
}

/** A database for one test. Disposing it removes it. */
export interface TestDatabase<Database> extends AsyncDisposable {
  /** URI of the database, for the configuration of services. */
  readonly uri: string;
  /** Queries of the test itself. */
  readonly kysely: Kysely<Database>;
  /**
   * What a handler gets from `sql()`, for `testContext()`. Nothing ends a call there, so each query of the session is
   * committed at once.
   */
  readonly sql: Sql<Database>;
}
