import { deepStrictEqual, rejects, throws } from "node:assert/strict";
import { sql } from "../../../../extensions/sql/mod.ts";
import { setUpSql } from "../../../../extensions/sql/host.ts";
import { createLog } from "../../../../runtime/log/log.ts";
import { Metrics } from "../../../../runtime/telemetry/metrics.ts";
import { SILENT_MESSENGER } from "../../../fixtures/silent_messenger.ts";

Deno.test("sql() tells the main thread of its outbox and its inbox, with their defaults", () => {
  deepStrictEqual(sql().options, {});
  deepStrictEqual(sql({ outbox: false, inbox: true }).options, { inbox: { purgeInterval: 60_000 } });
  deepStrictEqual(sql({ name: "main", outbox: { pollInterval: 500 } }).options, {
    name: "main",
    outbox: { pollInterval: 500 },
  });
});

for (
  const [what, options, reason] of [
    ["an outbox that is no object", { outbox: "yes" }, /outbox must be true, false or an object/],
    [
      "an unknown option of the outbox",
      { outbox: { interval: 1 } },
      /no option "interval", only pollInterval/,
    ],
    ["a time of zero", { inbox: { purgeInterval: 0 } }, /inbox.purgeInterval must be from 1 to/],
  ] as const
) {
  Deno.test(`sql() refuses ${what}`, () => throws(() => sql(options as never), reason));
}

Deno.test("a database in memory has no place for an outbox", async () => {
  const host = {
    service: "orders",
    config: { SQL: "sqlite::memory:" },
    messenger: SILENT_MESSENGER,
    log: createLog({ emit() {} }),
    metrics: new Metrics(),
  };
  const { options = {} } = sql({ outbox: true });
  await rejects(setUpSql({ options }, host), {
    name: "ConfigurationError",
    message: /^Cannot keep an outbox or an inbox in sqlite::memory:.*Name a file/,
  });
});
