import { deepStrictEqual, match } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { enoki } from "./command.ts";

Deno.test("enoki sql tables prints statements that make the tables, and may run again", async () => {
  const { out, ...rest } = await enoki(["sql", "tables", "sqlite"]);
  deepStrictEqual(rest, { status: 0, err: "" });
  const database = new DatabaseSync(":memory:");
  for (let time = 0; time < 2; time++) database.exec(out);
  const tables = database.prepare(
    "select name from sqlite_master where name like 'enoki%' and type = 'table'",
  );
  deepStrictEqual(tables.all().map(({ name }) => name), ["enoki_outbox", "enoki_inbox"]);
  database.close();
});

Deno.test("enoki sql tables says which databases it knows", async () => {
  const { status, err } = await enoki(["sql", "tables", "oracle"]);
  deepStrictEqual(status, 2);
  match(err, /allowed choices are postgres, mysql, sqlite/);
});
