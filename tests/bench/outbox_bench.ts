// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { amqp } from "../../extensions/amqp/mod.ts";
import { openDriver } from "../../extensions/sql/driver/open_driver.ts";
import { parseDatabaseUri } from "../../extensions/sql/driver/database_uri.ts";
import { writeMessage } from "../../extensions/sql/outbox/outbox_writer.ts";
import { ensureTables } from "../../extensions/sql/outbox/own_tables.ts";
import { Relay } from "../../extensions/sql/outbox/relay.ts";
import { createLog } from "../../runtime/log/log.ts";
import type { Messenger } from "../../runtime/message/messenger.ts";
import { Metrics } from "../../runtime/telemetry/metrics.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import { type SqlDatabase, SqlDatabases } from "../fixtures/sql_databases.ts";
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";

const ROUNDS = 3;

const MESSAGES = 20_000;

const SERVICE = "enoki_bench_outbox";

/** The relay of an outbox: from a full one to an empty one, with the confirms of RabbitMQ. */
export async function benchOutbox(broker: string): Promise<readonly Figure[]> {
  console.log(
    `\nOutbox: ${MESSAGES} messages from a private database over RabbitMQ with confirms, until the outbox is empty; ` +
      `${ROUNDS} rounds, medians`,
  );
  await using databases = await SqlDatabases.open();
  await using transport = amqp(broker);
  await transport.connect();
  await transport.declare({ queues: [{ name: SERVICE }] });
  console.log("database      messages/s");
  const figures: Figure[] = [];
  for (const database of databases.all) {
    await ensureTables(openDriver(database.uri), ["outbox"]);
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await fill(database);
      rates.push(await rate(database, transport));
    }
    console.log(`${database.dialect.padEnd(12)} ${median(rates).toFixed(0).padStart(11)}`);
    figures.push({ name: database.dialect, unit: "messages/s", enoki: median(rates) });
  }
  await transport.deleteQueue(SERVICE);
  return figures;
}

async function fill({ uri, dialect }: SqlDatabase): Promise<void> {
  await using connection = await openDriver(uri).connect();
  await connection.begin({ writes: true });
  const message = {
    exchange: "",
    routingKey: SERVICE,
    body: JSON.stringify({ id: 1, customer: "Ada", total: 42 }),
    properties: { contentType: "application/json", deliveryMode: 2, headers: {} },
  } as const;
  const run = (...[text, parameters]: [string, readonly unknown[]]) => connection.query(text, parameters);
  for (let n = 0; n < MESSAGES; n += 500) {
    const writes = Array.from({ length: 500 }, () => writeMessage(dialect, run, SERVICE, message, undefined));
    await Promise.all(writes);
  }
  await connection.commit();
}

async function rate({ uri, run }: SqlDatabase, transport: Transport): Promise<number> {
  const messenger: Messenger = {
    request: () => Promise.reject(new Error("Nothing is asked here")),
    publish: (message, options) => transport.publish(message, options),
  };
  const start = performance.now();
  await using _relay = new Relay({
    driver: openDriver(uri),
    database: parseDatabaseUri(uri).database,
    service: SERVICE,
    messenger,
    log: createLog({ emit() {} }),
    metrics: new Metrics(),
    pollInterval: 100,
  });
  while ((await run("select 1 from enoki_outbox limit 1")).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return MESSAGES / (performance.now() - start) * 1_000;
}
