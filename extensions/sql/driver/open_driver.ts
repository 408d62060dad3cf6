import { type DatabaseUri, parseDatabaseUri } from "./database_uri.ts";
import type { SqlConnection, SqlConnectOptions, SqlDriver } from "./driver.ts";

/** Opens a connection to the database of a URI that was read already. */
type Connect = (uri: DatabaseUri, options: SqlConnectOptions) => Promise<SqlConnection>;

/** The library of a database is loaded with its first connection. */
const CONNECTS: Readonly<Record<DatabaseUri["dialect"], Connect>> = {
  postgres: async (...args) => (await import("./postgres.ts")).connectPostgres(...args),
  mysql: async (...args) => (await import("./mysql.ts")).connectMysql(...args),
  sqlite: async (...args) => (await import("./sqlite.ts")).connectSqlite(...args),
};

/**
 * Makes the driver for the database of a URI, by its scheme: `postgres:`, `postgresql:`, `mysql:`, `mariadb:` or
 * `sqlite:`. It opens nothing.
 *
 * @throws {ConfigurationError} If it is no such URI.
 */
export function openDriver(uri: string): SqlDriver {
  const parsed = parseDatabaseUri(uri);
  const { dialect, address } = parsed;
  return {
    dialect,
    address,
    isPrivate: dialect === "sqlite" && parsed.database === ":memory:",
    connect: (options = {}) => CONNECTS[dialect](parsed, options),
  };
}
