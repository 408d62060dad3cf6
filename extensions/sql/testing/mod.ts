import type { TestDatabase, TestDatabaseOptions } from "./test_database.ts";

export type { TestDatabase, TestDatabaseOptions };

/**
 * Makes a database for one test: a schema of PostgreSQL, a database of MariaDB or MySQL, or a file of SQLite.
 *
 * @param uri URI of a server whose user may make schemas or databases; for SQLite, `sqlite::memory:`.
 *
 * @example
 * ```ts ignore
 * import { testDatabase } from "@enoki/enoki/sql";
 * import { testContext } from "@enoki/enoki/testing";
 *
 * await using database = await testDatabase<Tables>("postgres://postgres@127.0.0.1/postgres", {
 *   migrations: new URL("./migrations", import.meta.url),
 * });
 * await stock.handlers.reserve(testContext(stock, { db: database.sql }), 7);
 * ```
 */
export async function testDatabase<Database>(
  uri: string,
  options: TestDatabaseOptions = {},
): Promise<TestDatabase<Database>> {
  const unknown = Object.keys(options).find((key) => key !== "migrations");
  if (unknown !== undefined) {
    throw new TypeError(`Cannot make a test database: it has no option "${unknown}", only migrations`);
  }
  const { makeTestDatabase } = await import("./make_test_database.ts");
  return await makeTestDatabase<Database>(uri, options);
}
