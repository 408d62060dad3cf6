/** Databases of tests, and the migrations that make their tables. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { service } from "../../../mod.ts";
import { type Kysely, sql, testDatabase } from "../../../extensions/sql/mod.ts";
import { Migrations } from "../../../extensions/sql/migration/migrations.ts";
import { rpc } from "../../../extensions/rpc/mod.ts";
import { testContext } from "../../../extensions/testing/mod.ts";
import { type SqlDatabase, SqlDatabases } from "../../fixtures/sql_databases.ts";

interface Tables {
  readonly boxes: { readonly id: number; readonly name: string; readonly amount: number | null };
}

const MIGRATIONS = new URL("../../fixtures/migrations", import.meta.url);

const boxes = service("boxes", {
  dependencies: { db: sql<Tables>() },
  entrypoints: { add: rpc(), addTwo: rpc() },
  handlers: {
    add: ({ db }, id: number, name: string) =>
      db.session.insertInto("boxes").values({ id, name, amount: 1 }).execute(),
    addTwo: ({ db }) =>
      db.unitOfWork(async (transaction) => {
        await transaction.insertInto("boxes").values({ id: 8, name: "eight", amount: 1 }).execute();
        await transaction.insertInto("boxes").values({ id: 8, name: "eight", amount: 1 }).execute();
      }),
  },
});

Deno.test("databases of tests", async (test) => {
  await using databases = await SqlDatabases.open();
  for (const database of databases.all) {
    await test.step(database.dialect, async (step) => await keepLaws(step, database));
  }
});

async function keepLaws(test: Deno.TestContext, { uri, dialect, run }: SqlDatabase) {
  await test.step("have the tables of the migrations, serve handlers, and are gone after the test", async () => {
    let own: string;
    {
      await using database = await testDatabase<Tables>(uri, { migrations: MIGRATIONS });
      own = database.uri;
      await boxes.handlers.add(testContext(boxes, { db: database.sql }), 7, "seven");
      await rejects(boxes.handlers.addTwo(testContext(boxes, { db: database.sql })), {
        name: "DatabaseError",
      });
      const rows = await database.kysely.selectFrom("boxes").selectAll().execute();
      deepStrictEqual(rows, [{ id: 7, name: "seven", amount: 1 }]);
    }
    if (dialect === "sqlite") await rejects(Deno.stat(own.slice("sqlite:///".length)), Deno.errors.NotFound);
    else {
      const names = await run("select schema_name as name from information_schema.schemata");
      deepStrictEqual(names.filter(({ name }) => String(name).startsWith("enoki_test_")), []);
    }
  });

  await test.step("do not meet", async () => {
    await using one = await testDatabase<Tables>(uri, { migrations: MIGRATIONS });
    await using other = await testDatabase<Tables>(uri, { migrations: MIGRATIONS });
    await one.kysely.insertInto("boxes").values({ id: 1, name: "one", amount: 1 }).execute();
    deepStrictEqual(await other.kysely.selectFrom("boxes").selectAll().execute(), []);
  });

  await test.step("refuse what they have no option for", async () => {
    await rejects(
      testDatabase(uri, { migration: MIGRATIONS } as never),
      /no option "migration", only migrations/,
    );
  });

  await test.step("are migrated in the order of names, and back", async () => {
    const order: string[] = [];
    const migration = (name: string) => ({
      name,
      load: () =>
        Promise.resolve({
          up: async (db: Kysely<unknown>) => {
            order.push(`up ${name}`);
            await db.schema.createTable(name).addColumn("id", "integer").execute();
          },
          down: async (db: Kysely<unknown>) => {
            order.push(`down ${name}`);
            await db.schema.dropTable(name).execute();
          },
        }),
    });
    const broken = {
      name: "c",
      load: () => Promise.resolve({ up: () => Promise.reject(new Error("it is broken")) }),
    };
    await using database = await testDatabase(uri);
    {
      await using migrations = await Migrations.open(database.uri, [migration("b"), migration("a")]);
      deepStrictEqual((await migrations.list()).map(({ name, appliedAt }) => [name, appliedAt]), [
        ["a", undefined],
        ["b", undefined],
      ]);
      deepStrictEqual(await migrations.up(), ["a", "b"]);
      deepStrictEqual(await migrations.up(), []);
      deepStrictEqual(await migrations.down(), ["b"]);
      deepStrictEqual((await migrations.list()).map(({ appliedAt }) => appliedAt instanceof Date), [
        true,
        false,
      ]);
    }
    deepStrictEqual(order, ["up a", "up b", "down b"]);
    await using migrations = await Migrations.open(database.uri, [migration("b"), migration("a"), broken]);
    await rejects(migrations.up(), {
      name: "MigrationError",
      message: 'Cannot apply migration "c": it is broken',
    });
    const applied = (await migrations.list()).filter(({ appliedAt }) => appliedAt !== undefined);
    // PostgreSQL alone takes back changes of tables.
    strictEqual(applied.length, dialect === "postgres" ? 1 : 2);
  });
}
