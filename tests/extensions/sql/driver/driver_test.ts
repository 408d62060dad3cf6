import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { isConflict, isUnavailable } from "../../../../extensions/sql/driver/database_error.ts";
import type { SqlConnection } from "../../../../extensions/sql/driver/driver.ts";
import { openDriver } from "../../../../extensions/sql/driver/open_driver.ts";
import { type SqlDatabase, SqlDatabases } from "../../../fixtures/sql_databases.ts";

Deno.test("drivers of databases", async (test) => {
  await using databases = await SqlDatabases.open();
  for (const database of databases.all) {
    await test.step(database.dialect, async (step) => {
      await keepLaws(step, database);
    });
  }
});

async function keepLaws(test: Deno.TestContext, { dialect, uri, server, sleep, run }: SqlDatabase) {
  const driver = openDriver(uri);
  const place = (index: number) => dialect === "postgres" ? `$${index}` : "?";
  const insert = `insert into boxes (name) values (${place(1)})`;
  const serial = { postgres: "serial primary key", mysql: "int auto_increment primary key" };
  const key = dialect === "sqlite" ? "integer primary key" : serial[dialect];
  await run(`create table boxes (id ${key}, name varchar(100) not null unique, amount int default 0)`);
  const names = async (connection: SqlConnection) =>
    (await connection.query("select name from boxes order by id")).rows.map(({ name }) => name);
  const reset = () => run("delete from boxes");

  await test.step("give rows, and count what has changed", async () => {
    await using connection = await driver.connect();
    const { affected, rows, insertId } = await connection.query(insert, ["one"]);
    deepStrictEqual([affected, rows], [1n, []]);
    strictEqual(typeof insertId, dialect === "postgres" ? "undefined" : "bigint");
    const selected = await connection.query(`select name, amount from boxes where name = ${place(1)}`, [
      "one",
    ]);
    deepStrictEqual(selected, {
      rows: [{ name: "one", amount: 0 }],
      affected: undefined,
      insertId: undefined,
    });
    strictEqual((await connection.query("update boxes set amount = 1")).affected, 1n);
  });

  await reset();
  await test.step("act in the order of the calls", async () => {
    await using connection = await driver.connect();
    const [, , seen] = await Promise.all([
      connection.begin({ writes: true }),
      connection.query(insert, ["one"]),
      names(connection),
      connection.commit(),
    ]);
    deepStrictEqual(seen, ["one"]);
    deepStrictEqual(await names(connection), ["one"]);
  });

  await reset();
  await test.step("roll back", async () => {
    await using connection = await driver.connect();
    await connection.begin();
    await connection.query(insert, ["one"]);
    await connection.rollback();
    deepStrictEqual(await names(connection), []);
  });

  await test.step("refuse a wrong statement, and go on", async () => {
    await using connection = await driver.connect();
    await rejects(connection.query("select nothing from nowhere"), {
      name: "DatabaseError",
      failure: "refused",
    });
    strictEqual(connection.isBroken, false);
    deepStrictEqual(await names(connection), []);
  });

  await test.step("run more different statements than they keep prepared", async () => {
    await using connection = await driver.connect();
    for (let number = 0; number < 300; number++) {
      deepStrictEqual((await connection.query(`select ${number} as number`)).rows, [{ number }]);
    }
    deepStrictEqual((await connection.query("select 0 as number")).rows, [{ number: 0 }]);
  });

  await reset();
  await test.step("recognize a conflict", async () => {
    await using one = await driver.connect({ statementTimeout: dialect === "sqlite" ? 20 : 10_000 });
    await using two = await driver.connect({ statementTimeout: dialect === "sqlite" ? 20 : 10_000 });
    await one.query(insert, ["one"]);
    await one.query(insert, ["two"]);
    const change = (connection: SqlConnection, name: string) =>
      connection.query(`update boxes set amount = amount + 1 where name = ${place(1)}`, [name]);
    await one.begin();
    await two.begin();
    await change(one, "one");
    // SQLite locks the whole database, so the second transaction fails here; the others have a deadlock.
    if (dialect !== "sqlite") await change(two, "two");
    const results = await Promise.allSettled([
      change(two, "one"),
      dialect === "sqlite" ? undefined : change(one, "two"),
    ]);
    const failures = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
    deepStrictEqual(failures.map(isConflict), [true]);
    await Promise.all([one.rollback(), two.rollback()]);
  });

  await test.step({
    name: "recognize a serialization failure",
    ignore: dialect !== "postgres",
    fn: async () => {
      await using one = await driver.connect();
      await using two = await driver.connect();
      for (const connection of [one, two]) {
        await connection.begin({ isolation: "serializable" });
        await names(connection);
      }
      await one.query("update boxes set amount = amount + 1");
      await one.commit();
      await rejects(two.query("update boxes set amount = amount + 1"), isConflict);
      await two.rollback();
    },
  });

  await test.step({
    name: "see a table that has changed",
    ignore: dialect !== "postgres",
    fn: async () => {
      await using connection = await driver.connect();
      await connection.query("select * from boxes");
      await run("alter table boxes add column more int");
      await rejects(connection.query("select * from boxes"), isConflict);
      strictEqual((await connection.query("select * from boxes")).rows[0]?.["more"], null);
    },
  });

  await test.step({
    name: "end a statement that takes too long",
    ignore: sleep === undefined,
    fn: async () => {
      await using connection = await driver.connect();
      void connection.begin({ timeout: 50 });
      await rejects(connection.query(sleep!(30)), { failure: "timeout" });
      await connection.rollback();
      await connection.begin();
      await connection.query(sleep!(0.1));
      await connection.commit();
    },
  });

  await test.step({
    name: "end a statement that nobody waits for, and its connection",
    ignore: sleep === undefined,
    fn: async () => {
      const controller = new AbortController();
      const reason = new Error("nobody waits");
      {
        await using connection = await driver.connect();
        const query = connection.query(sleep!(30), [], { signal: controller.signal });
        setTimeout(() => controller.abort(reason), 50);
        await rejects(query, reason);
        ok(connection.isBroken);
        await rejects(connection.query("select 1"), isUnavailable);
      }
      const running = dialect === "postgres"
        ? "select 1 from pg_stat_activity where query like 'select pg_sleep(30)' and state = 'active'"
        : "select 1 from information_schema.processlist where info like 'select sleep(30)'";
      while ((await run(running)).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  });

  await test.step({
    name: "wait for a lock as long as somebody waits for the statement",
    ignore: dialect !== "sqlite",
    fn: async () => {
      await using one = await driver.connect();
      await using two = await driver.connect();
      await one.begin({ writes: true });
      const waiting = two.query(insert, ["late"]);
      const behind = names(two);
      await one.commit();
      await waiting;
      ok((await behind).includes("late"));
      await one.begin({ writes: true });
      await rejects(two.query(insert, ["never"], { signal: AbortSignal.timeout(20) }), {
        name: "TimeoutError",
      });
      await one.rollback();
    },
  });

  await test.step({
    name: "say plainly that the database is away, without a password",
    ignore: server === undefined,
    fn: async () => {
      await using connection = await driver.connect();
      const query = connection.query(sleep!(30));
      void query.catch(() => {});
      await server!.kill();
      await rejects(query, isUnavailable);
      ok(connection.isBroken);
      await rejects(connection.query("select 1"), isUnavailable);
      await rejects(driver.connect(), (error: Error) => {
        match(
          error.message,
          /^Cannot reach database \w+:\/\/[^:]+(?::\*+)?@127\.0\.0\.1:\d+\/\w+: .*ECONNREFUSED/,
        );
        return isUnavailable(error) && !error.message.includes("secret");
      });
      await server!.start();
      await using _again = await driver.connect();
    },
  });
}
