import { deepStrictEqual, match, notStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { openDriver } from "../../../../extensions/sql/driver/open_driver.ts";
import { parseDatabaseUri } from "../../../../extensions/sql/driver/database_uri.ts";
import { Relay } from "../../../../extensions/sql/outbox/relay.ts";
import { createLog } from "../../../../runtime/log/log.ts";
import { Metrics } from "../../../../runtime/telemetry/metrics.ts";
import { SILENT_MESSENGER } from "../../../fixtures/silent_messenger.ts";
import { SeverableProxy } from "../../../fixtures/severable_proxy.ts";
import { type EffectsStage, eventually } from "./effects_stage.ts";

/** The laws of an outbox and its relay. */
export async function keepOutboxLaws(test: Deno.TestContext, stage: EffectsStage): Promise<void> {
  const { heard, database } = stage;
  await writeRow(stage, 0);
  await using first = await stage.serve("shop");
  await test.step("sends what it finds at its start", async () =>
    deepStrictEqual(await stage.heardFrom(0, 1), [0]));
  await test.step("relays the event of a call that is committed, with an id of its own", async () => {
    await stage.shop.place({ id: 1 });
    await stage.shop.place({ id: 2 });
    deepStrictEqual(await stage.heardFrom(1, 2), [1, 2]);
    const [, one, two] = heard.all;
    match(String(one!.messageId), /^[0-9a-f-]{36}$/);
    notStrictEqual(one!.messageId, two!.messageId);
    const { headers, contentType } = one!.delivery.properties;
    strictEqual(contentType, "application/json");
    match(
      String((headers!["nameko.call_id_stack"] as string[]).at(-1)),
      /^enoki_test_effects_shop\.place\./,
    );
    await eventually("the outbox is empty", async () => await stage.inOutbox() === 0);
  });
  await test.step("sends nothing of a call that is rolled back", async () => {
    const before = heard.all.length;
    await rejects(stage.shop.place({ id: 3 }, true), /failed after the event/);
    await stage.shop.place({ id: 4 });
    deepStrictEqual(await stage.heardFrom(before, 1), [4]);
    deepStrictEqual((await database.run("select id from orders order by id")).map(({ id }) => id), [
      1,
      2,
      4,
    ]);
  });
  await test.step("sends what a unit of work has committed, whatever becomes of the call", async () => {
    const before = heard.all.length;
    await rejects(stage.shop.placeInUnit({ id: 5 }, true), /failed in the unit of work/);
    await rejects(stage.shop.placeInUnit({ id: 6 }), /failed behind the unit of work/);
    deepStrictEqual(await stage.heardFrom(before, 1), [6]);
  });
  await test.step("sends an event around the outbox that asks for it", async () => {
    const before = heard.all.length;
    await rejects(stage.shop.placeDirectly({ id: 7 }), /failed after the event/);
    deepStrictEqual(await stage.heardFrom(before, 1), [7]);
    strictEqual(heard.all.at(-1)!.messageId, undefined);
  });
  await test.step("sends the events of one key in the order of their transactions", async () => {
    const before = heard.all.length;
    const gate = stage.newGate();
    const first = stage.shop.placeUnder.start("k", { id: 10, gate });
    await eventually("the first transaction holds its key", () => holdsKey(stage));
    const second = stage.shop.placeUnder.start("k", { id: 11 });
    if (database.dialect !== "sqlite") {
      // Another key waits for nobody.
      await stage.shop.placeUnder("other", { id: 12 });
      deepStrictEqual(await stage.heardFrom(before, 1), [12]);
    }
    await Deno.writeTextFile(gate, "");
    await Promise.all([first.result(), second.result()]);
    await eventually("all are sent", async () => await stage.inOutbox() === 0);
    deepStrictEqual(heard.all.slice(before).map(({ id }) => id).filter((id) => id !== 12), [10, 11]);
  });
  await test.step("parks a message that the broker refuses, and sends the others", async () => {
    const before = heard.all.length;
    await stage.shop.placeUnheard({ id: 13 });
    deepStrictEqual(await stage.heardFrom(before, 1), [13]);
    await eventually("it is parked", async () => await stage.inOutbox("parked = 1") === 1);
    const [row] = await database.run("select error from enoki_outbox where parked = 1");
    match(String(row!["error"]), /unheard/);
    await database.run("update enoki_outbox set parked = 0");
    await eventually("it is parked again", async () => await stage.inOutbox("parked = 1") === 1);
    await database.run("delete from enoki_outbox");
  });
  await test.step({
    name: "relays the messages of others while a transaction that has written one is open",
    // SQLite has one writer.
    ignore: database.dialect === "sqlite",
    fn: async () => {
      const before = heard.all.length;
      const gate = stage.newGate();
      const open = stage.shop.placeUnder.start("open", { id: 60, gate });
      await eventually("its transaction has written", () => holdsKey(stage));
      await Promise.all([0, 1, 2].map((n) => stage.shop.placeMany(1_000 + 100 * n, 100)));
      await stage.heardFrom(before, 300);
      await eventually("they have left the outbox", async () => await stage.inOutbox() === 0);
      await Deno.writeTextFile(gate, "");
      await open.result();
      deepStrictEqual((await stage.heardFrom(before, 301)).at(-1), 60);
    },
  });
  await using second = await stage.serve("shop");
  await test.step("relays in one of two instances, and in the other one when that has gone", async () => {
    const before = heard.all.length;
    await Promise.all([0, 1, 2, 3].map((n) => stage.shop.placeMany(100 + 50 * n, 50)));
    await stage.heardFrom(before, 200);
    await eventually("the outbox is empty", async () => await stage.inOutbox() === 0);
    strictEqual(heard.all.length, before + 200, "no message came twice");
    await first.shutdown();
    await stage.shop.place({ id: 300 });
    deepStrictEqual((await stage.heardFrom(before, 201)).at(-1), 300);
  });
  await test.step("sends what was committed just before the stop", async () => {
    const before = heard.all.length;
    await stage.shop.placeMany(400, 100);
    await second.shutdown();
    strictEqual(heard.all.length, before + 100);
    strictEqual(await stage.inOutbox(), 0);
  });
}

/** The law of an outage, after which a database without durable commits may have forgotten the latest. */
export async function keepOutageLaw(test: Deno.TestContext, stage: EffectsStage): Promise<void> {
  const { heard, database } = stage;
  await test.step("ends a relay although the database does not answer any more", async () => {
    await using proxy = await SeverableProxy.open(database.uri);
    const relays = Promise.withResolvers<void>();
    const relay = new Relay({
      driver: openDriver(proxy.uri),
      database: parseDatabaseUri(proxy.uri).database,
      service: "enoki_test_effects_stalled",
      messenger: SILENT_MESSENGER,
      log: createLog({ emit: ({ message }) => message.startsWith("Relays") && relays.resolve() }),
      metrics: new Metrics(),
      pollInterval: 10,
      stopLimit: 100,
    });
    await relays.promise;
    proxy.stall();
    await relay[Symbol.asyncDispose]();
  });
  await using _running = await stage.serve("shop");
  await test.step("goes on after the database was away, and says so once", async () => {
    await stage.shop.place({ id: 49 });
    const before = heard.all.length;
    await database.server!.kill();
    await database.server!.start();
    await eventually(
      "a call succeeds again",
      () => stage.shop.place({ id: 50 }).then(() => true, () => false),
    );
    await eventually(
      "it is sent",
      () => Promise.resolve(heard.all.slice(before).some(({ id }) => id === 50)),
    );
    strictEqual(stage.lines.filter((line) => line.includes("Cannot relay")).length, 1);
  });
}

/** Whether a transaction has written under a key, and has not ended. */
async function holdsKey(stage: EffectsStage): Promise<boolean> {
  const { dialect, run, uri } = stage.database;
  switch (dialect) {
    case "postgres": {
      const rows = await run("select 1 from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock'");
      // The other lock is that of the relay.
      return rows.length > 1;
    }
    case "mysql": {
      await using connection = await openDriver(uri).connect();
      await connection.begin({ isolation: "read uncommitted" });
      return (await connection.query("select 1 from enoki_outbox")).rows.length > 0;
    }
    case "sqlite": {
      await using connection = await openDriver(uri).connect({ statementTimeout: 1 });
      return await connection.begin({ writes: true }).then(() => false, () => true);
    }
  }
}

/** Writes an event into the outbox, as a process would that has died since then. */
async function writeRow({ database }: EffectsStage, id: number): Promise<void> {
  const body = { postgres: `convert_to('{"id":${id}}', 'UTF8')` } as Record<string, string>;
  await database.run(
    "insert into enoki_outbox (service, message_id, exchange, routing_key, mandatory, properties, body, size, written_at) " +
      "values ('enoki_test_effects_shop', 'm', 'enoki_test_effects_shop.events', 'placed', 0, " +
      `'{"contentType":"application/json","messageId":"m"}', ${
        body[database.dialect] ?? `'{"id":${id}}'`
      }, 10, 0)`,
  );
}
