/**
 * Databases for services: PostgreSQL, MariaDB, MySQL and SQLite.
 *
 * @module
 */
import "./host_half.ts";

export { sql } from "./sql.ts";
export type { Sql, SqlOptions } from "./sql.ts";
export type { EffectsOptions, InboxSettings, OutboxSettings } from "./outbox/effects_options.ts";
export type { UnitOfWorkOptions } from "./query/unit_of_work.ts";
export { DatabaseError, DatabaseUnavailableError } from "./driver/database_error.ts";
export type { DatabaseErrorOptions, DatabaseFailure } from "./driver/database_error.ts";
export type { SqlIsolation } from "./driver/driver.ts";
export { testDatabase } from "./testing/mod.ts";
export type { TestDatabase, TestDatabaseOptions } from "./testing/mod.ts";
export type { MigrationModule } from "./migration/migrations.ts";
export { sqlTemplate } from "./kysely.ts";
export type {
  ColumnType,
  Generated,
  Insertable,
  Kysely,
  Selectable,
  Transaction,
  Updateable,
} from "./kysely.ts";
