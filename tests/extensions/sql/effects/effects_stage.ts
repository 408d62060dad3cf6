import type { Client } from "../../../../mod.ts";
import { memory, MemoryBroker } from "../../../../extensions/memory/mod.ts";
import { connect, type Connection } from "../../../../extensions/connect.ts";
import type { Running } from "../../../../extensions/run.ts";
import { tableStatements } from "../../../../extensions/sql/outbox/own_tables.ts";
import { configureLogging } from "../../../../runtime/log/observe.ts";
import type { Delivery, Transport } from "../../../../runtime/message/transport.ts";
import { freePort } from "../../../fixtures/free_port.ts";
import { serveInMemory } from "../../../fixtures/serve_in_memory.ts";
import type { SqlDatabase } from "../../../fixtures/sql_databases.ts";
import type { shop as shopService } from "../../../fixtures/services/effects.ts";
import { Record } from "../../events/event_stage.ts";

const NUMBERS = {
  postgres: "serial primary key",
  mysql: "int auto_increment primary key",
  sqlite: "integer primary key",
};

/** Milliseconds that something may take to become true on a busy machine. */
const PATIENCE = 20_000;

/** Waits until `look` gives something, which it does a moment after somebody has made it true. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined | false>,
  patience = PATIENCE,
): Promise<Value> {
  for (const deadline = Date.now() + patience;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) {
      throw new Error(`Cannot see that ${what}: it did not happen in ${patience} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** An event of the shop, as it reached the broker. */
export interface Heard {
  readonly id: number;
  readonly messageId: string | undefined;
  readonly delivery: Pick<Delivery, "exchange" | "routingKey" | "properties"> & { readonly body: Uint8Array };
}

/** A shop and a stock on a broker in memory, with their tables in a database. */
export class EffectsStage implements AsyncDisposable {
  readonly database: SqlDatabase;
  readonly broker: MemoryBroker;
  /** What the services have logged. */
  readonly lines: string[] = [];
  /** The events of the shop, in the order in which they reached the broker. */
  readonly heard = new Record<Heard>();
  readonly gates: string;
  readonly transport: Transport;
  readonly cluster: Connection;
  #gate = 0;
  #health = "";

  constructor(
    database: SqlDatabase,
    gates: string,
    broker: MemoryBroker,
    transport: Transport,
    cluster: Connection,
  ) {
    this.broker = broker;
    this.database = database;
    this.gates = gates;
    this.transport = transport;
    this.cluster = cluster;
  }

  static async open(database: SqlDatabase): Promise<EffectsStage> {
    const { run, dialect } = database;
    await run("create table orders (id int primary key)");
    await run(`create table effects (n ${NUMBERS[dialect]}, id int not null, way varchar(20) not null)`);
    const broker = new MemoryBroker();
    const transport = memory({ broker });
    await transport.connect();
    const cluster = await connect({ broker: memory({ broker }) });
    const gates = await Deno.makeTempDir({ prefix: "enoki-gates-" });
    const stage = new EffectsStage(database, gates, broker, transport, cluster);
    configureLogging({ level: "info", write: (line) => void stage.lines.push(line) });
    await transport.declare({
      exchanges: [{ name: "enoki_test_effects_shop.events", type: "topic" }],
      queues: [{ name: "heard" }],
      bindings: [{ queue: "heard", exchange: "enoki_test_effects_shop.events", routingKey: "placed" }],
    });
    await transport.consume("heard", ({ body, exchange, routingKey, properties }) => {
      const { id } = JSON.parse(new TextDecoder().decode(body));
      const delivery = { body: body.slice(), exchange, routingKey, properties };
      stage.heard.add({ id, messageId: properties.messageId, delivery });
      return Promise.resolve("ack");
    }, { prefetch: 1_000 });
    return stage;
  }

  /** Serves the shop, the stock or both, with the rights to their database and to the gates. */
  serve(...names: readonly ("shop" | "stock")[]): Promise<Running> {
    const { uri, server } = this.database;
    const path = uri.slice("sqlite:///".length);
    const permissions = server === undefined
      ? { read: [path, this.gates], write: [path] }
      : { net: [new URL(uri).host], read: [this.gates] };
    const services = names.map((name) => `enoki_test_effects_${name}`);
    this.#health = `127.0.0.1:${freePort()}`;
    return serveInMemory(this.broker, services.map((name) => `effects.ts:${name}`), {
      config: {
        SQL: uri,
        max_workers: 3,
        HEALTH_ADDRESS: this.#health,
        METRICS: true,
        services: Object.fromEntries(services.map((name) => [name, { permissions }])),
      },
    });
  }

  get shop(): Client<typeof shopService> {
    return this.cluster.client<typeof shopService>("enoki_test_effects_shop");
  }

  /** The sum of all series of a metric of the services that were served last. */
  async number(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.#health}/metrics`)).text();
    return text.split("\n").filter((line) => line.startsWith(`${name}{`)).reduce(
      (sum, line) => sum + Number(line.split(" ").at(-1)),
      0,
    );
  }

  newGate(): string {
    return `${this.gates}/${++this.#gate}`;
  }

  /** The ids of the events from the one with this place on. */
  async heardFrom(from: number, count: number): Promise<readonly number[]> {
    await this.heard.reaches(from + count);
    return this.heard.all.slice(from).map(({ id }) => id);
  }

  /** The effects of one id, as soon as there are `count` of them. */
  effects(id: number, count = 1): Promise<readonly unknown[]> {
    return eventually(`${count} effects of ${id} are there`, async () => {
      const rows = await this.database.run(`select way from effects where id = ${id} order by n`);
      return rows.length >= count && rows.map(({ way }) => way);
    });
  }

  /** How many messages of a kind the outbox holds. */
  async inOutbox(condition = "1 = 1"): Promise<number> {
    const [row] = await this.database.run(`select count(*) as count from enoki_outbox where ${condition}`);
    return Number(row!["count"]);
  }

  /** Publishes an event of the shop as a broker would that delivers it again. */
  async redeliver({ delivery }: Heard): Promise<void> {
    await this.transport.publish(delivery);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.transport.close();
    await Deno.remove(this.gates, { recursive: true });
    const { dialect, run } = this.database;
    const own = tableStatements(dialect, ["outbox", "inbox"]).flatMap((text) =>
      /create table if not exists (\w+)/.exec(text)?.[1] ?? []
    );
    for (const table of ["orders", "effects", ...own]) await run(`drop table if exists ${table}`);
  }
}
