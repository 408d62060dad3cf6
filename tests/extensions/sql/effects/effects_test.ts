/** What the outbox and the inbox promise, for each database. */
import { SqlDatabases } from "../../../fixtures/sql_databases.ts";
import { EffectsStage } from "./effects_stage.ts";
import { keepInboxLaws } from "./inbox_laws.ts";
import { keepOutageLaw, keepOutboxLaws } from "./outbox_laws.ts";
import { keepTableLaws } from "./table_laws.ts";

Deno.test("effects that happen exactly once", async (test) => {
  await using databases = await SqlDatabases.open();
  for (const database of databases.all) {
    await test.step(database.dialect, async (step) => {
      await keepTableLaws(step, database);
      await using stage = await EffectsStage.open(database);
      await keepOutboxLaws(step, stage);
      await keepInboxLaws(step, stage);
      if (database.server !== undefined) await keepOutageLaw(step, stage);
    });
  }
});
