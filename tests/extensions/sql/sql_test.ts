/** The laws of `sql()`, for each database, in threads that may use nothing but that database. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "../../../extensions/connect.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { serveInMemory } from "../../fixtures/serve_in_memory.ts";
import { type SqlDatabase, SqlDatabases } from "../../fixtures/sql_databases.ts";
import type { postgres } from "../../fixtures/services/sql.ts";

Deno.test("the database of a service", async (test) => {
  await using databases = await SqlDatabases.open();
  for (const database of databases.all) {
    await test.step(database.dialect, async (step) => {
      const gates = await Deno.makeTempDir({ prefix: "enoki-gates-" });
      try {
        await keepLaws(step, database, gates);
      } finally {
        await Deno.remove(gates, { recursive: true });
      }
    });
  }
});

Deno.test("a service without a database does not start, and says what to write where", async () => {
  const module = ["sql.ts:enoki_test_sql_sqlite"];
  await rejects(serveInMemory(new MemoryBroker(), module), {
    name: "ConfigurationError",
    message:
      /^Cannot find the database of service "enoki_test_sql_sqlite": the configuration has neither SQL nor/,
  });
  await rejects(serveInMemory(new MemoryBroker(), module, { config: { SQL: { URL: "sqlite:///x.db" } } }), {
    name: "ConfigurationError",
    message: /^Cannot use config key "SQL\.URL"/,
  });
});

const PLACES = {
  postgres: "serial primary key",
  mysql: "int auto_increment primary key",
  sqlite: "integer primary key",
};

async function keepLaws(test: Deno.TestContext, database: SqlDatabase, gates: string) {
  const { dialect, uri, server, sleep, run } = database;
  const name = `enoki_test_sql_${dialect}`;
  await run(
    `create table boxes (id ${PLACES[dialect]}, name varchar(100) not null unique, amount int default 0)`,
  );
  const names = async () => (await run("select name from boxes order by name")).map((row) => row["name"]);
  const connections = async () => {
    const [row] = await run(
      dialect === "postgres"
        ? "select count(*) - 1 as count from pg_stat_activity where application_name = 'enoki'"
        : "select count(*) - 1 as count from information_schema.processlist where user = 'root'",
    );
    return Number(row!["count"]);
  };
  const broker = new MemoryBroker();
  const place = server === undefined ? uri.slice("sqlite:///".length) : new URL(uri).host;
  const own: PlainRecord = server === undefined
    ? { read: [place, gates], write: [place, gates] }
    : { net: [place], read: [gates], write: [gates] };
  const serve = (settings: Record<string, number> = {}, permissions = own) =>
    serveInMemory(broker, [`sql.ts:${name}`], {
      config: {
        max_workers: 4,
        DB_URIS: { [name]: uri },
        SQL: settings,
        services: { [name]: { permissions } },
      },
    });
  await using cluster = await connect({ broker: memory({ broker }) });
  const service = cluster.client<typeof postgres>(name as "enoki_test_sql_postgres");
  let gate = 0;
  /** Waits until a call of `hold` has made its query. */
  const isHeld = async (gate: string) => {
    const stat = () => Deno.stat(`${gate}.held`).then(() => true, () => false);
    while (!await stat()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const newGate = () => `${gates}/${++gate}`;

  {
    await using _running = await serve();
    await test.step({
      name: "gets no connection by a call without a query",
      ignore: server === undefined,
      fn: async () => {
        await service.thread();
        strictEqual(await connections(), 0);
      },
    });
    await test.step("commits what a call has done", async () => {
      await service.add("one");
      deepStrictEqual(await names(), ["one"]);
    });
    await test.step("rolls back what a failed call has done, also when the failure is expected", async () => {
      await rejects(service.add("two", "fail"), /failed after the query/);
      await rejects(service.add("two", "refuse"), /refused after the query/);
      deepStrictEqual(await names(), ["one"]);
    });
    await test.step({
      name: "fails a call whose commit fails",
      // The others go on after a refused statement, so that the commit has nothing to say against it.
      ignore: dialect !== "postgres",
      fn: async () => {
        await rejects(service.addTwice("two"), /a statement of the transaction has failed before/);
        deepStrictEqual(await names(), ["one"]);
      },
    });
    await test.step("runs the queries of a session in their order", async () => {
      deepStrictEqual(await service.inOrder("two"), ["one", "two"]);
      deepStrictEqual(await names(), ["one"]);
    });
    await test.step("shows nobody what a call has not committed", async () => {
      const open = newGate();
      const holding = service.hold.start("two", open);
      await isHeld(open);
      deepStrictEqual(await service.names(), ["one"]);
      await Deno.writeTextFile(open, "");
      deepStrictEqual(await holding.result(), ["one", "two"]);
      deepStrictEqual(await service.names(), ["one", "two"]);
      await run("delete from boxes where name = 'two'");
    });
    await test.step("commits each query of the pool at once, and its transactions by themselves", async () => {
      await rejects(service.inPool("two"), /failed after the query/);
      await rejects(service.inTransactionOfPool("three"), /failed in the transaction/);
      deepStrictEqual(await names(), ["one", "two"]);
    });
    await test.step("commits a unit of work, or rolls it back", async () => {
      await service.unit("three", false);
      await rejects(service.unit("four", true), /failed in the unit of work/);
      deepStrictEqual(await names(), ["one", "three", "two"]);
    });
    await test.step("runs a unit of work again after a conflict", async () => {
      // Units of work of SQLite take the one lock that there is at their beginning, so no two of them read together.
      const [left, right] = [newGate(), newGate()];
      const [one, other] = dialect === "sqlite" ? [[], []] : [[left, right], [right, left]] as const;
      const attempts = await Promise.all([
        service.count("one", 10, ...one),
        service.count("one", 10, ...other),
        service.count("one", 10),
        service.count("one", 10),
      ]);
      deepStrictEqual(await run("select amount from boxes where name = 'one'"), [{ amount: 40 }]);
      const all = attempts.reduce((sum, each) => sum + each);
      ok(dialect === "sqlite" ? all === 40 : all > 40, `${all} attempts`);
    });
    await test.step({
      name: "runs a unit of work again after a deadlock",
      // Units of work of SQLite take the one lock that there is at their beginning.
      ignore: dialect === "sqlite",
      fn: async () => {
        const [left, right] = [newGate(), newGate()];
        const attempts = await Promise.all([
          service.cross("one", "two", left, right),
          service.cross("two", "one", right, left),
        ]);
        // The one that runs again may take its row before the other has woken, and then they wait for each other again.
        ok(Math.max(...attempts) > 1, `${attempts}`);
      },
    });
    await test.step("refuses a unit of work inside another", async () => {
      match(await service.nested(), /Cannot begin a unit of work: the running code is a part of one already/);
    });
    await test.step({
      name: "ends a statement at the deadline of its call",
      ignore: sleep === undefined,
      fn: async () => {
        await rejects(Promise.resolve(service.run.with({ timeout: 200 })(sleep!(30))), { code: "TIMEOUT" });
        const text = dialect === "postgres"
          ? "select 1 from pg_stat_activity where query like 'select pg_sleep(30)' and state = 'active'"
          : "select 1 from information_schema.processlist where info like 'select sleep(30)'";
        while ((await run(text)).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      },
    });
    await test.step({
      name: "fails calls while the database is away, keeps the threads, and recovers",
      ignore: server === undefined,
      fn: async () => {
        const threads = new Set<string>();
        for (let call = 0; call < 20; call++) threads.add(await service.thread());
        await server!.kill();
        await rejects(service.names(), (error: Error) => {
          match(error.message, /^DatabaseUnavailableError (?:Lost|Cannot reach) database /);
          return !error.message.includes("secret");
        });
        ok(threads.has(await service.thread()));
        await server!.start();
        deepStrictEqual(await service.names(), ["one", "three", "two"]);
        ok(threads.has(await service.thread()));
      },
    });
  }

  {
    await using _running = await serve({}, {});
    await test.step("says which permission a service lacks", async () => {
      await rejects(Promise.resolve(service.names()), (error: Error) => {
        match(error.message, /not permitted\. Allow it with --allow-(?:net|read)=/);
        return error.message.includes(place);
      });
    });
  }

  {
    await using _running = await serve({ IDLE_TIMEOUT: 0.05 });
    await test.step({
      name: "closes a connection that nobody has used for a while",
      ignore: server === undefined,
      fn: async () => {
        await service.names();
        while (await connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
        ok((await service.names()).includes("one"));
      },
    });
  }

  {
    await using _running = await serve({ MAX_CONNECTIONS: 1 });
    await test.step("shares its connections over all threads", async () => {
      const open = newGate();
      const holding = service.hold.start("four", open);
      let most = 0;
      const waiting = Array.from({ length: 8 }, () => service.names.start());
      for (let look = 0; look < 5; look++) {
        if (server !== undefined) most = Math.max(most, await connections());
      }
      await Deno.writeTextFile(open, "");
      await holding.result();
      for (const call of waiting) ok((await call.result()).includes("four"));
      if (server !== undefined) {
        most = Math.max(most, await connections());
        strictEqual(most, 1);
      }
    });
    await test.step("ends the wait for a connection by a sentence that names the setting", async () => {
      const open = newGate();
      const holding = service.hold.start("five", open);
      await isHeld(open);
      match(
        await service.waitFor(50),
        /^DatabaseError: Cannot get a connection to database \S+ in time: all 1 .* Raise SQL\.MAX_CONNECTIONS/,
      );
      await Deno.writeTextFile(open, "");
      await holding.result();
    });
    await test.step("takes back what a thread held that was killed", async () => {
      await rejects(service.spin(), { code: "TIMEOUT" });
      ok((await service.names()).includes("five"));
    });
  }
}
