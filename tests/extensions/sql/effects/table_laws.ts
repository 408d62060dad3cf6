import { deepStrictEqual, match, rejects } from "node:assert/strict";
import { openDriver } from "../../../../extensions/sql/driver/open_driver.ts";
import { ensureTables, tableStatements } from "../../../../extensions/sql/outbox/own_tables.ts";
import type { SqlDatabase } from "../../../fixtures/sql_databases.ts";

/** Statements that make a user who may read and write the tables of others. */
const MAKE_USER = {
  postgres: ["create role clerk login"],
  mysql: ["create user clerk@'%'", "grant select, insert, update, delete on mysql.* to clerk@'%'"],
  sqlite: [],
};

/** The laws of how the tables come to be. */
export async function keepTableLaws(
  test: Deno.TestContext,
  { dialect, uri, run }: SqlDatabase,
): Promise<void> {
  await test.step({
    name: "says which statements make the tables if its user may not make them",
    ignore: dialect === "sqlite",
    fn: async () => {
      for (const statement of MAKE_USER[dialect]) await run(statement);
      const clerk = new URL(uri);
      clerk.username = "clerk";
      clerk.password = "";
      await rejects(ensureTables(openDriver(clerk.href), ["outbox", "inbox"]), (error: Error) => {
        match(error.message, /^Cannot keep an outbox in database .*clerk.*: its tables are missing/);
        match(error.message, /run: create table if not exists enoki_outbox \(/);
        return true;
      });
    },
  });
  await test.step("makes the tables that are missing, also if several instances do so at a time", async () => {
    const driver = openDriver(uri);
    await Promise.all([1, 2, 3, 4].map(() => ensureTables(driver, ["outbox", "inbox"])));
    deepStrictEqual(await run("select * from enoki_outbox"), []);
    deepStrictEqual(await run("select * from enoki_inbox"), []);
  });
  await test.step("takes the statements again when the tables are there", async () => {
    for (const statement of tableStatements(dialect, ["outbox", "inbox"])) await run(statement);
  });
}
