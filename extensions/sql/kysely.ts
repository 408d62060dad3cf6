/**
 * The only file that imports kysely, which types queries and writes their SQL.
 */
export {
  DefaultQueryExecutor,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql as sqlTemplate,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  Transaction,
} from "npm:kysely@0.29.9";
export type {
  ColumnType,
  CompiledQuery,
  ConnectionProvider,
  DatabaseConnection,
  Dialect,
  DialectAdapter,
  Driver,
  Generated,
  Insertable,
  QueryCompiler,
  QueryResult,
  Selectable,
  TransactionSettings,
  Updateable,
} from "npm:kysely@0.29.9";
export type { Migration, MigrationInfo, MigrationResult, Migrator } from "npm:kysely@0.29.9/migration";

/** Loads what runs migrations, which few processes do. */
export const loadMigration = (): Promise<typeof import("npm:kysely@0.29.9/migration")> =>
  import("npm:kysely@0.29.9/migration");
